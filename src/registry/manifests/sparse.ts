import type { RepositoryName } from '../../oci/repository-name.js';

/** Whether one of the patterns of `ALLOW_SPARSE` names the repository; `*` stands for any characters. */
export function isSparseByName(name: RepositoryName, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => toRegExp(pattern).test(name));
}

function toRegExp(pattern: string): RegExp {
  const parts = pattern.split(/\*+/).map((text) => text.replace(/[.\\+?^${}()|[\]]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
