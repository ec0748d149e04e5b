import type { UserPrincipal } from '../../src/access/principal.js';
import type { OrgRole } from '../../src/access/roles.js';
import { loadConfig } from '../../src/config/load-config.js';
import { InvitationIssuer } from '../../src/identity/orgs/invitations/invitation-issuer.service.js';
import { ReceivedInvitationsService } from '../../src/identity/orgs/invitations/received-invitations.service.js';
import { OrgLookupService } from '../../src/identity/orgs/org-lookup.service.js';
import type { CallingUser } from '../../src/access/caller.js';
import { OrgInvitation } from '../../src/identity/orgs/invitations/org-invitation.entity.js';
import { OrgInvitationsRepository } from '../../src/identity/orgs/invitations/org-invitations.repository.js';
import { OrgInvitationsService } from '../../src/identity/orgs/invitations/org-invitations.service.js';
import { OrgMember } from '../../src/identity/orgs/members/org-member.entity.js';
import { OrgMembersRepository } from '../../src/identity/orgs/members/org-members.repository.js';
import { OrgMembersService } from '../../src/identity/orgs/members/org-members.service.js';
import { Org } from '../../src/identity/orgs/org.entity.js';
import { OrgsRepository } from '../../src/identity/orgs/orgs.repository.js';
import { OrgsService } from '../../src/identity/orgs/orgs.service.js';
import { TeamMember } from '../../src/identity/orgs/teams/team-member.entity.js';
import { TeamMembersRepository } from '../../src/identity/orgs/teams/team-members.repository.js';
import { TeamMembersService } from '../../src/identity/orgs/teams/team-members.service.js';
import { Team } from '../../src/identity/orgs/teams/team.entity.js';
import { TeamsRepository } from '../../src/identity/orgs/teams/teams.repository.js';
import { TeamsService } from '../../src/identity/orgs/teams/teams.service.js';
import { AccountDeletionRepository } from '../../src/identity/users/account-deletion.repository.js';
import { AccountDeletionService } from '../../src/identity/users/account-deletion.service.js';
import { PasswordHasher } from '../../src/identity/users/password-hasher.js';
import { User } from '../../src/identity/users/user.entity.js';
import { UsersRepository } from '../../src/identity/users/users.repository.js';
import { UsersService } from '../../src/identity/users/users.service.js';
import { startCleanup } from './cleanup-services.js';
import { contentServices, type ContentServices } from './content-services.js';
import { keepingRepositories } from './namespace-contents.js';

let count = 0;

export interface OrgServices extends ContentServices {
  readonly orgs: OrgsService;
  readonly members: OrgMembersService;
  readonly memberships: OrgMembersRepository;
  readonly invitations: OrgInvitationsService;
  readonly received: ReceivedInvitationsService;
  readonly teams: TeamsService;
  readonly teamMembers: TeamMembersService;
  /** Deletes the account, as its user does. */
  deleteUser: (user: CallingUser) => Promise<void>;
  /** Invites the user, who accepts. */
  makeOwner: (org: string, user: CallingUser, by: CallingUser) => Promise<void>;
  /** Makes organizations that the user is in, as others or, with `consented`, the user wanted it. Gives their names. */
  addToMany: (
    user: CallingUser,
    organizations: number,
    part?: { role?: OrgRole; consented?: boolean },
  ) => Promise<string[]>;
  /** A user who counts as an owner of the organization of this name. */
  newUser: (org: string) => Promise<CallingUser>;
  /** Until somebody waits for a lock. */
  waiting: () => Promise<void>;
}

/** The services of organizations, against a real PostgreSQL. */
export async function orgServices(): Promise<OrgServices> {
  const services = await contentServices();
  const { unitOfWork, drops, events, database } = services;
  const orgsTable = new OrgsRepository(services.repository(Org));
  const membersTable = new OrgMembersRepository(services.repository(OrgMember));
  const invitationsTable = new OrgInvitationsRepository(services.repository(OrgInvitation));
  const config = loadConfig({}, null, () => '0'.repeat(32));
  const teamMembersTable = new TeamMembersRepository(services.repository(TeamMember));
  const usersTable = new UsersRepository(services.repository(User));
  const live = new OrgLookupService(orgsTable, events);
  const users = new UsersService(usersTable, new PasswordHasher(), events, drops, unitOfWork);
  const deletions = new AccountDeletionService(usersTable, new AccountDeletionRepository(), events, unitOfWork);
  startCleanup(services);
  const teams = new TeamsService(new TeamsRepository(services.repository(Team)), teamMembersTable, live, unitOfWork);
  const issuer = new InvitationIssuer(invitationsTable, live);
  const members = new OrgMembersService(membersTable, invitationsTable, issuer, live, users, unitOfWork);
  const invitations = new OrgInvitationsService(invitationsTable, issuer, members, live, users, unitOfWork);
  return {
    ...services,
    orgs: new OrgsService(orgsTable, membersTable, live, users, unitOfWork, config),
    members,
    memberships: membersTable,
    invitations,
    received: new ReceivedInvitationsService(invitationsTable, live, unitOfWork),
    teams,
    teamMembers: new TeamMembersService(teamMembersTable, membersTable, teams, live, users, unitOfWork),
    deleteUser: async ({ user, actor }) => {
      const row = await usersTable.findByName(user.username);
      if (row) await deletions.delete(row, actor, keepingRepositories(services));
    },
    makeOwner: async (org, caller, by) => {
      const draft = { username: caller.user.username, role: 'owner' as const };
      const made = await unitOfWork.run((tx) => members.add(tx, org, draft, by));
      if (!('invitation' in made)) throw new Error('an owner was made unasked');
      await unitOfWork.run((tx) => invitations.accept(tx, { id: made.invitation.id }, caller));
    },
    addToMany: async ({ user }, organizations, { role = 'member', consented = false } = {}) => {
      const rows = await database.query<{ name: string }>(
        `WITH n AS (
           INSERT INTO namespaces (name, kind) SELECT $1 || i, 'org' FROM generate_series(1, $2::int) i RETURNING id, name
         ), o AS (INSERT INTO orgs (namespace_id) SELECT id FROM n RETURNING id),
         m AS (INSERT INTO org_members (org_id, user_id, role, consented, created_at)
               SELECT id, $3, $4, $5, now() + interval '1 ms' FROM o)
         SELECT name FROM n`,
        [`many-${++count}-`, organizations, user.id, role, consented],
      );
      return rows.map(({ name }) => name);
    },
    newUser: async (org) => {
      const username = `user-${++count}`;
      const [user] = await database.query<{ id: string }>(
        `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ($1, 'user') RETURNING id)
         INSERT INTO users (namespace_id, username) SELECT id, $1 FROM n RETURNING id`,
        [username],
      );
      return owner(Number(user?.id), username, org);
    },
    waiting: async () => {
      for (let i = 0; i < 200; i++) {
        const rows = await database.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        if (rows.length > 0) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error('nobody waits');
    },
  };
}

function owner(id: number, username: string, org: string): CallingUser {
  const memberships = [{ orgId: 0, namespaceId: 0, org, role: 'owner' as OrgRole, defaultRole: null }];
  const user: UserPrincipal = { kind: 'user', id, username, admin: false, namespaceId: 0, memberships, teams: [] };
  return { user, actor: { principal: `user:${id}`, credential: 'password', address: null } };
}
