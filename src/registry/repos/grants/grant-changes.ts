import type { Grant } from '../../../access/policy.js';
import type { EventData } from '../../../events/domain-event.js';
import type { GrantRow, NamedGrant } from './grants.repository.js';

/** Of each kind in an event: five hundred a request would fill the audit log. */
const MAX_DESCRIBED = 50;

/** A requested row, with its grantee. */
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

/** As the event has it: the first of each kind, and where that is not all of them, how many there were. */
export function describeChanges({ added, changed, removed }: GrantChanges): EventData<'grant.changed'> {
  const entry = ({ kind, name, role }: NamedGrant): NamedGrant => ({ kind, name, role });
  const count = added.length + changed.length + removed.length;
  const counts = { added: added.length, changed: changed.length, removed: removed.length };
  return {
    added: added.slice(0, MAX_DESCRIBED).map(entry),
    changed: changed.slice(0, MAX_DESCRIBED).map((grant) => ({ ...entry(grant), before: grant.before.role })),
    removed: removed.slice(0, MAX_DESCRIBED).map(entry),
    ...(count > MAX_DESCRIBED ? { counts } : {}),
  };
}

/** The rows to write. */
export function rowsOf(grants: readonly WantedGrant[]): Grant[] {
  return grants.map(({ kind, granteeId, role }) => ({ kind, id: granteeId, role }));
}

function granteeOf({ kind, granteeId }: Pick<GrantRow, 'kind' | 'granteeId'>): string {
  return `${kind}:${granteeId}`;
}
