/** What users and organizations may be called: a namespace is the first component of repository paths. */
export const ACCOUNT_NAME = /^(?=.{2,39}$)[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** Names that would be taken for the registry itself, or for an anonymous user. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'aerugo',
  'anonymous',
  'api',
  'everyone',
  'nobody',
  'null',
  'public',
  'registry',
  'robot',
  'system',
  'undefined',
  'v1',
  'v2',
]);

/** Service accounts of organizations log in under names that begin so. */
const ROBOT_PREFIX = 'robot-';

export function isAccountName(text: string): boolean {
  return ACCOUNT_NAME.test(text);
}

export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name) || name.startsWith(ROBOT_PREFIX);
}

/** What is said where a name is not free; that of a deleted user or organization is not, until it is released. */
export function whyTaken(name: string): string {
  const release = `POST /api/v1/namespaces/${name}/release`;
  return `"${name}" is taken, or was: an administrator frees the name of a deleted user or organization with ${release}`;
}
