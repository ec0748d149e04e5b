import { ORG_ROLES, ROLES } from '../access/roles.js';
import {
  COUNT,
  DIGEST,
  DIGEST_OR_NULL,
  FLAG,
  list,
  listOrNull,
  object,
  type Schema,
  TEXT,
  TEXT_OR_NULL,
  TIME,
  TIME_OR_NULL,
} from './event-schema.js';
import { event, type EventRow } from './event-row.js';

const NOTHING = object({});
const VISIBILITY = { enum: ['public', 'private'] } as const satisfies Schema;
const ROLE = { enum: ROLES } as const satisfies Schema;
const ROLE_OR_NULL = { enum: [...ROLES, null] } as const satisfies Schema;
const ORG_ROLE = { enum: ORG_ROLES } as const satisfies Schema;
const ORG_ROLE_OR_NULL = { enum: [...ORG_ROLES, null] } as const satisfies Schema;
const GRANTEE = { enum: ['user', 'team', 'robot'] } as const satisfies Schema;
const GRANT = object({ kind: GRANTEE, name: TEXT, role: ROLE });
const CHANGED_GRANT = object({ kind: GRANTEE, name: TEXT, role: ROLE, before: ROLE });
/** What goes with a namespace: how many repositories, and whether its name is free at once. */
const END = object({}, { repositories: COUNT, released: FLAG });

const CONTENT = {
  'manifest.pushed': event(
    'manifest.push',
    object({
      digest: DIGEST,
      mediaType: TEXT,
      size: COUNT,
      artifactType: TEXT_OR_NULL,
      subject: DIGEST_OR_NULL,
      tags: list(TEXT),
    }),
    ['tags', 'digest', 'mediaType'],
  ),
  'manifest.deleted': event('manifest.delete', object({ digest: DIGEST }), []),
  'tag.moved': event(null, object({ tag: TEXT, digest: DIGEST, previous: DIGEST_OR_NULL })),
  'tag.deleted': event('tag.delete', object({ tag: TEXT, digest: DIGEST }), []),
  'blob.deleted': event('blob.delete', object({ digest: DIGEST }), []),
};

const REPOSITORIES = {
  'repository.created': event('repo.create', object({ visibility: VISIBILITY })),
  'repository.updated': event(
    'repo.update',
    object({}, { visibility: VISIBILITY, sparse: FLAG, description: { enum: ['changed'] } as const }),
  ),
  'repository.deleted': event('repo.delete', object({}, { aliases: list(TEXT) })),
  'repository.renamed': event('repo.rename', object({ from: TEXT, to: TEXT }, { revoked: list(GRANT) })),
  'repository.alias.released': event('repo.alias.release', object({ alias: TEXT })),
  'grant.changed': event(
    'permissions.update',
    object(
      { added: list(GRANT), changed: list(CHANGED_GRANT), removed: list(GRANT) },
      { counts: object({ added: COUNT, changed: COUNT, removed: COUNT }) },
    ),
  ),
};

const ORGANIZATIONS = {
  'organization.created': event('org.create', object({ displayName: TEXT_OR_NULL, defaultRole: ROLE_OR_NULL })),
  'organization.updated': event('org.update', object({}, { displayName: TEXT_OR_NULL, defaultRole: ROLE_OR_NULL })),
  'organization.deleted': event('org.delete', END),
  'member.added': event('member.add', object({ username: TEXT, role: ORG_ROLE }), ['role']),
  'member.changed': event('member.update', object({ username: TEXT, role: ORG_ROLE, before: ORG_ROLE }), [
    'role',
    'before',
  ]),
  'member.removed': event('member.remove', object({ username: TEXT, before: ORG_ROLE }), ['before']),
  'team.created': event('team.create', object({ team: TEXT, description: TEXT }), ['description']),
  'team.updated': event('team.update', object({ team: TEXT }, { name: TEXT, description: TEXT }), [
    'name',
    'description',
  ]),
  'team.deleted': event('team.delete', object({ team: TEXT }), []),
  'team.member.added': event('team.member.add', object({ team: TEXT, username: TEXT, maintainer: FLAG }), [
    'maintainer',
  ]),
  'team.member.changed': event('team.member.update', object({ team: TEXT, username: TEXT, maintainer: FLAG }), [
    'maintainer',
  ]),
  'team.member.removed': event('team.member.remove', object({ team: TEXT, username: TEXT }), []),
  'robot.created': event('robot.create', object({ robot: TEXT, description: TEXT, expiresAt: TIME_OR_NULL }), [
    'description',
    'expiresAt',
  ]),
  'robot.updated': event(
    'robot.update',
    object({ robot: TEXT }, { description: TEXT, expiresAt: TIME_OR_NULL, disabled: FLAG }),
    ['description', 'expiresAt', 'disabled'],
  ),
  'robot.deleted': event('robot.delete', object({ robot: TEXT }), []),
};

/** An invitation to the registry has no role and names nobody. */
const INVITATIONS = {
  'invitation.created': event(
    'invitation.create',
    object({ id: TEXT, expiresAt: TIME }, { role: ORG_ROLE, invitee: TEXT }),
    ['role', 'expiresAt', 'invitee'],
  ),
  'invitation.revoked': event('invitation.revoke', object({ id: TEXT }, { role: ORG_ROLE }), ['role']),
  'invitation.accepted': event(
    'invitation.accept',
    object({ id: TEXT, username: TEXT, role: ORG_ROLE, before: ORG_ROLE_OR_NULL }),
    ['username', 'role', 'before'],
  ),
  'invitation.declined': event('invitation.decline', object({ id: TEXT, username: TEXT }), ['username']),
};

const ACCOUNTS = {
  'user.created': event('user.create', object({}, { invitation: TEXT })),
  'user.updated': event('user.update', object({ changed: list(TEXT) }, { disabled: FLAG, admin: FLAG })),
  'user.deleted': event('user.delete', END),
  'password.changed': event('password.change', NOTHING),
  'password.reset': event('password.reset', NOTHING),
  'session.created': event('session.create', object({ session: TEXT, client: TEXT_OR_NULL })),
  'session.revoked': event('session.revoke', object({ reason: { enum: ['logout', 'used twice'] } as const })),
  'key.created': event(
    'key.create',
    object({
      id: TEXT,
      name: TEXT,
      scopes: list(TEXT),
      repositories: listOrNull(TEXT),
      expiresAt: TIME_OR_NULL,
    }),
    ['name', 'scopes', 'repositories', 'expiresAt'],
  ),
  'key.revoked': event('key.revoke', object({ id: TEXT }), []),
  'namespace.released': event('namespace.release', object({ name: TEXT }), []),
};

/**
 * Every change that the registry tells of. Names and versions are promises to those who read events: docs/design/events.md
 * has the same table, and a test compares them.
 */
export const EVENTS = { ...CONTENT, ...REPOSITORIES, ...ORGANIZATIONS, ...INVITATIONS, ...ACCOUNTS } satisfies Record<
  string,
  EventRow
>;
