import type { Grant } from '../access/policy.js';
import type { GrantRow, NamedGrant } from './grants.repository.js';

/** A row that somebody asks for, with whom it is for. */
export interface WantedGrant extends NamedGrant {
  readonly granteeId: number;
  /** Where the client wrote it. */
  readonly index: number;
}

export interface GrantChanges {
  readonly added: readonly WantedGrant[];
  readonly changed: readonly (WantedGrant & { readonly before: GrantRow })[];
  readonly removed: readonly GrantRow[];
}

/** What makes one list of permissions into another. */
export function grantChanges(before: readonly GrantRow[], wanted: readonly WantedGrant[]): GrantChanges {
  const old = new Map(before.map((row) => [granteeOf(row), row]));
  const kept = new Set(wanted.map(granteeOf));
  const changed = wanted.flatMap((grant) => {
    const row = old.get(granteeOf(grant));
    return row && row.role !== grant.role ? [{ ...grant, before: row }] : [];
  });
  return {
    added: wanted.filter((grant) => !old.has(granteeOf(grant))),
    changed,
    removed: before.filter((row) => !kept.has(granteeOf(row))),
  };
}

/** The same grantee a second time, perhaps by another of its names. */
export function repeated(wanted: readonly WantedGrant[]): WantedGrant | undefined {
  return wanted.find((grant, at) => wanted.findIndex((one) => granteeOf(one) === granteeOf(grant)) < at);
}

/** As the audit log has it. */
export function describeChanges({ added, changed, removed }: GrantChanges): Record<string, readonly object[]> {
  const entry = ({ kind, name, role }: NamedGrant): object => ({ kind, name, role });
  return {
    added: added.map(entry),
    changed: changed.map((grant) => ({ ...entry(grant), before: grant.before.role })),
    removed: removed.map(entry),
  };
}

/** The rows to write. */
export function rowsOf(grants: readonly WantedGrant[]): Grant[] {
  return grants.map(({ kind, granteeId, role }) => ({ kind, id: granteeId, role }));
}

function granteeOf({ kind, granteeId }: Pick<GrantRow, 'kind' | 'granteeId'>): string {
  return `${kind}:${granteeId}`;
}
