import { describe, expect, it } from '@jest/globals';
import type { Role } from '../../../access/roles.js';
import { describeChanges, grantChanges, repeated, type WantedGrant } from './grant-changes.js';
import type { GranteeKind, GrantRow } from './grants.repository.js';

const row = (kind: GranteeKind, granteeId: number, role: Role): GrantRow => ({
  id: granteeId + 100,
  kind,
  granteeId,
  name: `${kind}-${granteeId}`,
  role,
});
const wanted = (...rows: GrantRow[]): WantedGrant[] =>
  rows.map(({ kind, granteeId, name, role }, index) => ({ kind, granteeId, name, role, index }));

describe('changes of permissions', () => {
  it('are what is new, what has another role, and what is missing', () => {
    const before = [row('user', 1, 'read'), row('user', 2, 'read'), row('team', 1, 'write')];
    const after = wanted(row('user', 2, 'admin'), row('team', 1, 'write'), row('robot', 1, 'read'));
    expect(describeChanges(grantChanges(before, after))).toEqual({
      added: [{ kind: 'robot', name: 'robot-1', role: 'read' }],
      changed: [{ kind: 'user', name: 'user-2', role: 'admin', before: 'read' }],
      removed: [{ kind: 'user', name: 'user-1', role: 'read' }],
    });
  });

  it('are the first fifty and how many there were, where they are very many', () => {
    const many = wanted(...Array.from({ length: 500 }, (_, i) => row('user', i, 'read')));
    const { added, ...rest } = describeChanges(grantChanges([], many));
    expect(added).toHaveLength(50);
    expect(rest).toEqual({ changed: [], removed: [], counts: { added: 500, changed: 0, removed: 0 } });
  });

  it('are none between a list and itself', () => {
    const before = [row('user', 1, 'read'), row('robot', 1, 'admin')];
    expect(grantChanges(before, wanted(...before))).toEqual({ added: [], changed: [], removed: [] });
  });

  it('know a grantee by its kind and id, whatever it was called', () => {
    const twice = wanted(row('robot', 1, 'read'), row('user', 1, 'read'), {
      ...row('robot', 1, 'write'),
      name: 'other',
    });
    expect(repeated(twice)).toBe(twice[2]);
    expect(repeated(twice.slice(0, 2))).toBeUndefined();
  });
});
