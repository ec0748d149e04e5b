import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { orgServices, type OrgServices } from '../../../../test/support/org-services.js';
import type { OrgRole } from '../../../access/roles.js';
import type { CallingUser } from '../../../access/caller.js';

let count = 0;

describe('what others do to a user', () => {
  let services: OrgServices;
  let name: string;
  let ada: CallingUser;
  let ben: CallingUser;

  beforeAll(async () => {
    services = await orgServices();
  }, 60_000);

  beforeEach(async () => {
    name = `org-${++count}`;
    ada = await services.newUser(name);
    ben = await services.newUser(name);
    await create(name, ada);
  });

  const create = (org: string, caller: CallingUser): Promise<unknown> =>
    services.unitOfWork.run((tx) => services.orgs.create(tx, { name: org }, caller));
  const add = (
    org: string,
    { user }: CallingUser,
    role: OrgRole,
    by = ada,
  ): ReturnType<OrgServices['members']['add']> =>
    services.unitOfWork.run((tx) => services.members.add(tx, org, { username: user.username, role }, by));
  const joinByCode = async (caller: CallingUser): Promise<unknown> => {
    const { code } = await services.unitOfWork.run((tx) =>
      services.invitations.create(tx, name, { role: 'member' }, ada),
    );
    return services.unitOfWork.run((tx) => services.invitations.accept(tx, { code }, caller));
  };
  const leave = (org: string, user: CallingUser): Promise<void> =>
    services.members.remove(org, user.user.username, user);
  const consentOf = async ({ user }: CallingUser): Promise<unknown[]> =>
    services.database.query('SELECT role, consented FROM org_members WHERE user_id = $1', [user.id]);

  it('makes them no owner until they have accepted', async () => {
    const offer = await add(name, ben, 'owner');
    expect(offer).toMatchObject({ invitation: { role: 'owner', invitee: ben.user.username } });
    expect(await consentOf(ben)).toEqual([]);
    const { invitation } = offer as Extract<typeof offer, { invitation: unknown }>;
    const caller = await services.newUser(name);
    for (const proof of [{ id: invitation.id }, { code: invitation.code }]) {
      const stolen = services.unitOfWork.run((tx) => services.invitations.accept(tx, proof, caller));
      await expect(stolen).rejects.toMatchObject({ condition: 'impossible' });
    }
    await services.unitOfWork.run((tx) => services.invitations.accept(tx, { id: invitation.id }, ben));
    expect(await consentOf(ben)).toEqual([{ role: 'owner', consented: true }]);
  });

  it('leaves what owners offered them to owners: an admin who changes nothing takes no offer back', async () => {
    await add(name, ben, 'member');
    const offer = await services.members.change(name, ben.user.username, 'owner', ada);
    expect(offer).toMatchObject({ invitation: { role: 'owner' } });
    const { invitation } = offer as Extract<typeof offer, { invitation: unknown }>;
    const admin = await services.newUser(name);
    const asAdmin = { ...admin, user: { ...admin.user, memberships: [membership(name, 'admin')] } };
    await expect(services.invitations.revoke(name, invitation.id, asAdmin)).rejects.toMatchObject({
      condition: 'denied',
    });
    await services.members.change(name, ben.user.username, 'member', asAdmin);
    expect(await services.received.list(ben.user, { after: 0, limit: 10 })).toMatchObject([{ id: invitation.id }]);
  });

  it('takes no organization away from those that they may make and join', async () => {
    await services.addToMany(ben, 500);
    await services.addToMany(ben, 100, { role: 'owner' });
    await expect(add(name, ben, 'member')).rejects.toMatchObject({ condition: 'impossible' });
    await create(`${name}-own`, ben);
    expect(await joinByCode(ben)).toMatchObject({ role: 'member' });
    await leave(name, ben);
    expect(await joinByCode(ben)).toMatchObject({ role: 'member' });
  });

  it('counts from the moment that they accept it', async () => {
    await services.addToMany(ben, 599, { consented: true });
    await add(name, ben, 'admin');
    expect(await joinByCode(ben)).toMatchObject({ role: 'admin' });
    await leave(name, ben);
    await services.addToMany(ben, 1, { consented: true });
    await add(name, ben, 'member');
    await expect(joinByCode(ben)).rejects.toMatchObject({ condition: 'impossible' });
  });

  it('keeps no owner who never agreed to be one', async () => {
    const [org = ''] = await services.addToMany(ben, 1, { role: 'owner' });
    const owner = { ...ben, user: { ...ben.user, memberships: [membership(org)] } };
    await leave(org, owner);
    const [other = ''] = await services.addToMany(ada, 1, { role: 'owner', consented: true });
    const bound = { ...ada, user: { ...ada.user, memberships: [membership(other)] } };
    await expect(leave(other, bound)).rejects.toMatchObject({ condition: 'conflict' });
    await services.addToMany(ben, 3, { role: 'owner' });
    await services.deleteUser(ben);
  });

  it('keeps them waiting for nothing while it goes on', async () => {
    await services.unitOfWork.run(async (tx) => {
      await services.members.add(tx, name, { username: ben.user.username, role: 'member' }, ada);
      await create(`${name}-own`, ben);
    });
    expect(await consentOf(ben)).toContainEqual({ role: 'owner', consented: true });
  });

  it('is not what they did themselves on a node of the version before', async () => {
    await joinByCode(ben);
    await create(`${name}-own`, ben);
    // What such a node writes: it knows no consent.
    await services.database.query('UPDATE org_members SET consented = false WHERE user_id = $1', [ben.user.id]);
    const count = (isConsented: boolean): Promise<number> =>
      services.unitOfWork.run((tx) => services.memberships.countMemberships(tx, ben.user.id, isConsented));
    expect([await count(true), await count(false)]).toEqual([2, 0]);
    expect(await services.unitOfWork.run((tx) => services.memberships.countOwned(tx, ben.user.id))).toBe(1);
    const owner = { ...ben, user: { ...ben.user, memberships: [membership(`${name}-own`)] } };
    await expect(leave(`${name}-own`, owner)).rejects.toMatchObject({ condition: 'conflict' });
    await expect(services.deleteUser(ben)).rejects.toMatchObject({ condition: 'conflict' });
    await leave(name, ben);
    await add(name, ben, 'member');
    expect([await count(true), await count(false)]).toEqual([1, 1]);
  });

  it('leaves room in the teams of organizations that they joined', async () => {
    const inTeams = (org: string, teams: number): Promise<unknown> =>
      services.database.query(
        `WITH t AS (
           INSERT INTO teams (org_id, name) SELECT o.id, 't' || i FROM generate_series(1, $3::int) i, orgs o
           JOIN namespaces n ON n.id = o.namespace_id WHERE n.name = $1 RETURNING id
         ) INSERT INTO team_members (team_id, user_id) SELECT id, $2 FROM t`,
        [org, ben.user.id, teams],
      );
    const putInTeam = (team: string): Promise<unknown> =>
      services.unitOfWork.run(async (tx) => {
        await services.teams.create(tx, name, { name: team }, ada.actor);
        await services.teamMembers.add(tx, { org: name, team }, { username: ben.user.username }, ada.actor);
      });
    const [hostile = ''] = await services.addToMany(ben, 1);
    await add(name, ben, 'member');
    await inTeams(hostile, 299);
    await putInTeam('one');
    await expect(putInTeam('two')).rejects.toMatchObject({ condition: 'impossible' });
    await joinByCode(ben);
    await putInTeam('three');
    await inTeams(name, 698);
    await expect(putInTeam('four')).rejects.toMatchObject({ condition: 'impossible' });
  });

  function membership(org: string, role: OrgRole = 'owner'): CallingUser['user']['memberships'][number] {
    return { orgId: 0, namespaceId: 0, org, role, defaultRole: null };
  }
});
