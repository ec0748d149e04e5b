import { type CallerName, CALLER_NAMES } from './callers.js';
import type { Cast } from './cast.js';
import type { Outcome } from './expectation.js';
import { type RouteRows, to } from './row.js';

const USERS = '/api/v1/users';
const KEYS = '/api/v1/auth/keys';
const INVITATIONS = '/api/v1/invitations';
const FSCK = '/api/v1/admin/fsck';
const NO_ID = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';
const JOBS = '/api/v1/admin/jobs';

/** Everybody with an account but these. */
function allBut(outcome: Outcome, ...others: readonly CallerName[]): Partial<Record<CallerName, Outcome>> {
  const names = CALLER_NAMES.filter((name) => name !== 'anonymous' && !others.includes(name));
  return Object.fromEntries(names.map((name) => [name, outcome]));
}

/** The tombstone of an organization that had a repository. */
async function buried(cast: Cast): Promise<string> {
  const name = cast.unique('buried');
  await cast.must('administrator', 'POST', '/api/v1/orgs', { json: { name } });
  await cast.must('administrator', 'PUT', `/api/v1/repos/${name}/app`, { json: {} });
  await cast.must('administrator', 'DELETE', `/api/v1/repos/${name}/app`);
  await cast.must('administrator', 'DELETE', `/api/v1/orgs/${name}`);
  return name;
}

const users: RouteRows = {
  'UsersController.create': {
    success: 201,
    // Only administrators sign people up unless the configuration says otherwise.
    except: { anonymous: 'challenge', ...allBut('denied', 'administrator') },
    request: (_, { cast }) => to(USERS, { json: { username: cast.unique('person'), password: 'a long password' } }),
  },
  'UsersController.list': { success: 200, request: () => to(USERS) },
  'UsersController.read': {
    success: 200,
    except: allBut('notFound', 'administrator', 'stranger'),
    request: () => to(`${USERS}/stranger`),
  },
  'UsersController.update': {
    success: 200,
    except: { ...allBut('notFound', 'administrator', 'stranger'), pullKey: 'denied', robot: 'denied' },
    request: () => to(`${USERS}/stranger`, { json: { displayName: 'Stranger' } }),
  },
  'UsersController.resetPassword': {
    success: 204,
    except: { ...allBut('notFound', 'administrator'), stranger: 'denied', pullKey: 'denied', robot: 'denied' },
    request: async (_, { cast, isAllowed }) =>
      to(`${USERS}/${isAllowed ? await cast.newUser() : 'stranger'}/password`, {
        json: { newPassword: 'another long password' },
      }),
  },
  'UserDeletionController.delete': {
    success: 204,
    except: { ...allBut('notFound', 'administrator'), pullKey: 'denied', robot: 'denied' },
    request: async (_, { cast, caller }) => {
      const name = caller === 'administrator' || caller === 'stranger' ? await cast.newUser() : 'stranger';
      return to(`${USERS}/${name}?force=true&repositories=0`);
    },
  },
  'DamagedBlobsController.list': { success: 200, request: () => to('/api/v1/admin/damaged') },
  'NamespacesController.release': {
    success: 204,
    request: async (_, { cast, isAllowed }) =>
      to(`/api/v1/namespaces/${isAllowed ? await buried(cast) : 'nothing'}/release`),
  },
  'NamespacesController.listDeleted': { success: 200, request: () => to('/api/v1/namespaces/deleted') },
  'NamespacesController.releaseMany': {
    success: 200,
    request: () => to('/api/v1/namespaces/release', { json: { names: ['nothing'] } }),
  },
  'InvitationsController.create': { success: 201, request: () => to(INVITATIONS, { json: {} }) },
  'InvitationsController.list': { success: 200, request: () => to(INVITATIONS) },
  'InvitationsController.revoke': {
    success: 204,
    request: async (_, { cast, isAllowed }) => {
      if (!isAllowed) return to(`${INVITATIONS}/${NO_ID}`);
      const reply = await cast.must('administrator', 'POST', INVITATIONS, { json: {} });
      return to(`${INVITATIONS}/${reply.json<{ id: string }>().id}`);
    },
  },
};

const sessions: RouteRows = {
  'TokenController.forDocker': { success: 200, request: () => to('/api/v1/auth/token?service=aerugo') },
  'TokenController.forBody': {
    success: 200,
    request: (_, { cast }) => to('/api/v1/auth/token', { json: cast.login('stranger') }),
  },
  'SessionController.me': { success: 200, request: () => to('/api/v1/auth/me') },
  'SessionController.logout': {
    success: 204,
    request: () => to('/api/v1/auth/logout', { json: { refresh_token: 'aerugo_rt_x' } }),
  },
  'SessionController.changePassword': {
    success: 204,
    request: (_, { cast, caller }) => {
      const { password = 'whatever it is' } = cast.login(caller);
      return to('/api/v1/auth/password', { json: { currentPassword: password, newPassword: password } });
    },
  },
  'KeysController.create': {
    success: 201,
    request: () => to(KEYS, { json: { name: 'matrix', scopes: ['repo:pull'] } }),
  },
  'KeysController.list': { success: 200, request: () => to(KEYS) },
  'KeysController.revoke': {
    success: 204,
    request: async (_, { cast, caller, isAllowed }) => {
      if (!isAllowed) return to(`${KEYS}/${NO_ID}`);
      const reply = await cast.must(caller, 'POST', KEYS, { json: { name: 'short-lived', scopes: ['repo:pull'] } });
      return to(`${KEYS}/${reply.json<{ id: string }>().id}`);
    },
  },
};

/** Ends the check that goes on, if there is one, and begins one that takes hours. */
async function checkSlowly(cast: Cast): Promise<void> {
  await cast.call('administrator', 'DELETE', FSCK);
  await cast.must('administrator', 'POST', FSCK, { json: { hash: true, bytesPerSecond: 1024 } });
}

const operations: RouteRows = {
  'FsckController.start': {
    success: 202,
    request: async (_, { cast, isAllowed }) => {
      if (isAllowed) await cast.call('administrator', 'DELETE', FSCK);
      return to(FSCK, { json: { hash: true } });
    },
  },
  'FsckController.last': {
    success: 200,
    request: async (_, { cast, isAllowed }) => {
      if (isAllowed) await checkSlowly(cast);
      return to(FSCK);
    },
  },
  'FsckController.cancel': {
    success: 204,
    request: async (_, { cast, isAllowed }) => {
      if (isAllowed) await checkSlowly(cast);
      return to(FSCK);
    },
  },
  'NodesController.list': { success: 200, request: () => to('/api/v1/admin/nodes') },
  'JobsController.list': { success: 200, request: () => to(JOBS) },
  // None is there for sure: the route itself decides.
  'JobsController.get': { success: 404, request: () => to(`${JOBS}/${NO_ID}`) },
  'JobsController.cancel': { success: 404, request: () => to(`${JOBS}/${NO_ID}`) },
  // Not found until a node had the time to look.
  'FsckController.scrub': { success: [200, 404], request: () => to('/api/v1/admin/scrub') },
  'AuditController.readAll': { success: 200, request: () => to('/api/v1/audit') },
  'HealthController.report': { success: 200, request: () => to('/api/v1/health') },
  'HealthController.live': { success: 200, request: () => to('/livez') },
  'HealthController.ready': { success: 200, request: () => to('/readyz') },
};

export const ACCOUNT_ROWS: RouteRows = { ...users, ...sessions, ...operations };
