import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import type { UserPrincipal } from '../access/principal.js';
import type { OrgRole } from '../access/roles.js';
import { loadConfig } from '../config/load-config.js';
import { AuditTrail } from '../events/audit-trail.service.js';
import { PasswordHasher } from '../users/password-hasher.js';
import { User } from '../users/user.entity.js';
import { UsersRepository } from '../users/users.repository.js';
import { UsersService } from '../users/users.service.js';
import { LiveOrgsService } from './live-orgs.service.js';
import { OrgInvitation } from './org-invitation.entity.js';
import { OrgInvitationsRepository } from './org-invitations.repository.js';
import { OrgMember } from './org-member.entity.js';
import { OrgMembersRepository } from './org-members.repository.js';
import { type Manager, OrgMembersService } from './org-members.service.js';
import { Org } from './org.entity.js';
import { OrgsRepository } from './orgs.repository.js';
import { OrgsService } from './orgs.service.js';

let count = 0;
const outcome = ({ status }: PromiseSettledResult<unknown>): string => status;

describe('an organization that several change at once', () => {
  let services: ContentServices;
  let orgs: OrgsService;
  let members: OrgMembersService;
  let name: string;
  let ada: Manager;
  let ben: Manager;

  function manager(id: number, username: string): Manager {
    const memberships = [{ orgId: 0, namespaceId: 0, org: name, role: 'owner' as OrgRole, defaultRole: null }];
    const caller: UserPrincipal = { kind: 'user', id, username, admin: false, namespaceId: 0, memberships, teams: [] };
    return { caller, actor: { principal: `user:${id}`, credential: 'password', address: null } };
  }

  async function newUser(): Promise<Manager> {
    const username = `user-${++count}`;
    const [user] = await services.database.query<{ id: string }>(
      `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ($1, 'user') RETURNING id)
       INSERT INTO users (namespace_id, username) SELECT id, $1 FROM n RETURNING id`,
      [username],
    );
    return manager(Number(user?.id), username);
  }

  const owners = async (): Promise<number> => {
    const rows = await services.database.query(
      `SELECT FROM org_members m JOIN orgs o ON o.id = m.org_id JOIN namespaces n ON n.id = o.namespace_id
       WHERE n.name = $1 AND m.role = 'owner'`,
      [name],
    );
    return rows.length;
  };

  beforeAll(async () => {
    services = await contentServices();
    const { unitOfWork, drops } = services;
    const found = [
      new OrgsRepository(services.repository(Org)),
      new OrgMembersRepository(services.repository(OrgMember)),
    ] as const;
    const live = new LiveOrgsService(found[0], new AuditTrail(), drops);
    const users = new UsersService(
      new UsersRepository(services.repository(User)),
      new PasswordHasher(),
      drops,
      unitOfWork,
    );
    const invitations = new OrgInvitationsRepository(services.repository(OrgInvitation));
    orgs = new OrgsService(
      ...found,
      live,
      unitOfWork,
      loadConfig({}, null, () => '0'.repeat(32)),
    );
    members = new OrgMembersService(found[1], invitations, live, users, unitOfWork);
  }, 60_000);

  beforeEach(async () => {
    name = `org-${++count}`;
    ada = await newUser();
    ben = await newUser();
    await services.unitOfWork.run((tx) => orgs.create(tx, { name }, ada.caller, ada.actor));
    await services.unitOfWork.run((tx) => members.add(tx, name, { username: ben.caller.username, role: 'owner' }, ada));
  });

  it.each([
    ['demote', (by: Manager, whom: Manager) => members.change(name, whom.caller.username, 'member', by)],
    ['remove', (by: Manager, whom: Manager) => members.remove(name, whom.caller.username, by)],
    ['leave', (by: Manager) => members.remove(name, by.caller.username, by)],
  ])('keeps one of two owners who %s at once', async (_what, change) => {
    const outcomes = await Promise.allSettled([change(ada, ben), change(ben, ada)]);
    expect(outcomes.map(outcome).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find((one) => one.status === 'rejected')?.reason).toMatchObject({ condition: 'conflict' });
    expect(await owners()).toBe(1);
  });

  it('is not deleted while a repository is being made in it', async () => {
    let deletion: Promise<unknown> = Promise.resolve();
    await services.unitOfWork.run(async (tx) => {
      await tx.query(
        `INSERT INTO repos (namespace_id, name, path, visibility)
         SELECT id, 'app', name || '/app', 'private' FROM namespaces WHERE name = $1 FOR KEY SHARE`,
        [name],
      );
      deletion = expect(orgs.delete(name, ada.actor)).rejects.toMatchObject({ condition: 'conflict' });
      await waiting();
    });
    await deletion;
    expect(await orgs.find(name)).not.toBeNull();
  });

  /** Until somebody waits for the transaction's locks. */
  async function waiting(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      const rows = await services.database.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      if (rows.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('nobody waits');
  }
});
