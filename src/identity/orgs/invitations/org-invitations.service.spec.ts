import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { orgServices, type OrgServices } from '../../../../test/support/org-services.js';
import type { OrgRole } from '../../../access/roles.js';
import type { CallingUser } from '../../../access/caller.js';
import type { OrgWithRole } from '../orgs.repository.js';

let count = 0;

describe('a code for an organization', () => {
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
    await services.unitOfWork.run((tx) => services.orgs.create(tx, { name }, ada));
  });

  const asAdministrator = ({ user, actor }: CallingUser): CallingUser => ({
    user: { ...user, admin: true, memberships: [] },
    actor,
  });
  const inviteAs = async (sender: CallingUser, role: OrgRole): Promise<string> =>
    (await services.unitOfWork.run((tx) => services.invitations.create(tx, name, { role }, sender))).code;
  const accept = (code: string, caller: CallingUser): Promise<OrgWithRole> =>
    services.unitOfWork.run((tx) => services.invitations.accept(tx, { code }, caller));
  const setUser = (change: string, { user }: CallingUser): Promise<unknown> =>
    services.database.query(`UPDATE users SET ${change} WHERE id = $1`, [user.id]);
  const setRole = (role: OrgRole, { user }: CallingUser): Promise<unknown> =>
    services.database.query('UPDATE org_members SET role = $1 WHERE user_id = $2', [role, user.id]);

  it.each(['disabled_at = now()', 'deleted_at = now()'])('is void once its sender has %s', async (change) => {
    const code = await inviteAs(ada, 'owner');
    await setUser(change, ada);
    const unknown = await accept('aerugo_inv_unknown', ben).catch((error: unknown) => error);
    await expect(accept(code, ben)).rejects.toEqual(unknown);
    expect(unknown).toMatchObject({ condition: 'impossible' });
  });

  it('is void while its sender could not give the role, and good again afterwards', async () => {
    const [owner, member] = [await inviteAs(ada, 'owner'), await inviteAs(ada, 'member')];
    await setRole('admin', ada);
    await expect(accept(owner, ben)).rejects.toMatchObject({ condition: 'impossible' });
    expect(await accept(member, ben)).toMatchObject({ role: 'member' });
    await setRole('owner', ada);
    expect(await accept(owner, ben)).toMatchObject({ role: 'owner' });
  });

  it('of an administrator of the registry is good as long as they are one', async () => {
    const root = asAdministrator(await services.newUser(name));
    const [first, second] = [await inviteAs(root, 'owner'), await inviteAs(root, 'owner')];
    await setUser('admin = true', root);
    expect(await accept(first, ben)).toMatchObject({ role: 'owner' });
    await setUser('admin = false', root);
    await expect(accept(second, await services.newUser(name))).rejects.toMatchObject({ condition: 'impossible' });
  });

  it('is good until the user has joined 600 organizations', async () => {
    await services.addToMany(ben, 599, { consented: true });
    expect(await accept(await inviteAs(ada, 'member'), ben)).toMatchObject({ role: 'member' });
    await services.members.remove(name, ben.user.username, ben);
    await services.addToMany(ben, 1, { consented: true });
    await expect(accept(await inviteAs(ada, 'member'), ben)).rejects.toMatchObject({ condition: 'impossible' });
  });

  it('is not needed for organizations of one’s own, of which there are a hundred', async () => {
    const create = (own: string): Promise<unknown> =>
      services.unitOfWork.run((tx) => services.orgs.create(tx, { name: own }, ben));
    await services.addToMany(ben, 99, { role: 'owner', consented: true });
    const outcomes = await Promise.allSettled([create(`${name}-a`), create(`${name}-b`)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
