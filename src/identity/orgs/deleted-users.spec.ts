import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { orgServices, type OrgServices } from '../../../test/support/org-services.js';
import type { Transaction } from '../../database/unit-of-work.js';
import type { CallingUser } from '../../access/caller.js';

let count = 0;

describe('a user who is deleted on another node', () => {
  let services: OrgServices;
  let name: string;
  let ada: CallingUser;
  let ben: CallingUser;
  let code: string;

  beforeAll(async () => {
    services = await orgServices();
  }, 60_000);

  beforeEach(async () => {
    name = `org-${++count}`;
    ada = await services.newUser(name);
    ben = await services.newUser('none');
    const { orgs, invitations, teams, unitOfWork } = services;
    await unitOfWork.run(async (tx) => {
      await orgs.create(tx, { name }, ada);
      await teams.create(tx, name, { name: 'dev' }, ada.actor);
      ({ code } = await invitations.create(tx, name, { role: 'member' }, ada));
    });
  });

  const addBen = (): Promise<unknown> =>
    services.unitOfWork.run((tx) =>
      services.members.add(tx, name, { username: ben.user.username, role: 'member' }, ada),
    );
  const create = (tx: Transaction): Promise<unknown> => services.orgs.create(tx, { name: `${name}-own` }, ben);
  const accept = (tx: Transaction): Promise<unknown> => services.invitations.accept(tx, { code }, ben);
  const joinTeam = (tx: Transaction): Promise<unknown> =>
    services.teamMembers.add(tx, { org: name, team: 'dev' }, { username: ben.user.username }, ada.actor);

  const partsOfBen = (): Promise<unknown[]> =>
    services.database.query(
      `SELECT role FROM org_members WHERE user_id = $1
       UNION ALL SELECT 'team' FROM team_members WHERE user_id = $1`,
      [ben.user.id],
    );

  it.each([
    ['creates no organization', create, 'denied'],
    ['accepts no invitation', accept, 'denied'],
    ['is put into no team', joinTeam, 'impossible'],
  ] as const)('%s when the deletion came first', async (_what, change, condition) => {
    if (change === joinTeam) await addBen();
    const before = await partsOfBen();
    let outcome: Promise<unknown> = Promise.resolve();
    await services.unitOfWork.run(async (tx) => {
      await tx.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [ben.user.id]);
      outcome = services.unitOfWork.run(change).catch((error: unknown) => error);
      await services.waiting();
      await tx.query('UPDATE users SET deleted_at = now() WHERE id = $1', [ben.user.id]);
    });
    expect(await outcome).toMatchObject({ condition });
    expect(await partsOfBen()).toEqual(before);
  });

  it.each([
    ['the only owner of an organization that was made first', create, { condition: 'conflict' }],
    ['a member who accepted first', accept, undefined],
    ['a member of a team who was added first', joinTeam, undefined],
  ] as const)('is seen as %s', async (_what, change, expected) => {
    if (change === joinTeam) await addBen();
    let outcome: Promise<unknown> = Promise.resolve();
    await services.unitOfWork.run(async (tx) => {
      await change(tx);
      outcome = services.deleteUser(ben).catch((error: unknown) => error);
      await services.waiting();
    });
    if (expected === undefined) {
      expect(await outcome).toBeUndefined();
      expect(await partsOfBen()).toEqual([]);
    } else {
      expect(await outcome).toMatchObject(expected);
    }
  });
});
