import { CALLERS, ORG } from './callers.js';
import { type Cast, SPARE } from './cast.js';
import { type RouteRows, to } from './row.js';

const ORGS = '/api/v1/orgs';
const HERE = `${ORGS}/${ORG}`;
const TEAM = `${HERE}/teams/dev`;
const NO_ID = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';

/** Makes what the route then changes or removes; only where the caller will get there. */
async function made(cast: Cast, path: string, json: object): Promise<{ id?: string; code?: string }> {
  return (await cast.must('orgOwner', 'POST', path, { json })).json();
}

/** In the team or not, as the case needs it. */
async function spareInTeam(cast: Cast, isIn: boolean): Promise<void> {
  await cast.call('orgOwner', 'DELETE', `${TEAM}/members/${SPARE}`);
  if (isIn) await cast.must('orgOwner', 'POST', `${TEAM}/members`, { json: { username: SPARE } });
}

const organizations: RouteRows = {
  'OrgsController.create': { success: 201, request: (_, { cast }) => to(ORGS, { json: { name: cast.unique('org') } }) },
  'OrgsController.list': { success: 200, request: () => to(ORGS) },
  'OrgsController.read': { success: 200, request: () => to(HERE) },
  'OrgsController.update': { success: 200, request: () => to(HERE, { json: { displayName: 'Acme' } }) },
  // Only who may delete it learns how many repositories are in it.
  'OrgDeletionController.delete': {
    success: 409,
    request: () => to(`${HERE}?force=true&repositories=999999`),
  },
  'AuditController.readOrganization': { success: 200, request: () => to(`${HERE}/audit`) },
  'OrgMembersController.list': { success: 200, request: () => to(`${HERE}/members`) },
  'OrgMembersController.add': {
    success: 201,
    request: async (_, { cast, isAllowed }) => {
      const username = isAllowed ? await cast.newUser() : 'stranger';
      return to(`${HERE}/members`, { json: { username, role: 'member' } });
    },
  },
  'OrgMembersController.change': {
    success: 200,
    request: () => to(`${HERE}/members/${SPARE}`, { json: { role: 'member' } }),
  },
  'OrgMembersController.remove': {
    success: 204,
    // Members may see the list, and remove nobody but themselves.
    except: { member: 'denied', teamMember: 'denied', maintainer: 'denied' },
    request: async (_, { cast, caller }) => {
      if (!['orgAdmin', 'orgOwner', 'administrator'].includes(caller)) return to(`${HERE}/members/${SPARE}`);
      const username = await cast.newUser();
      await made(cast, `${HERE}/members`, { username, role: 'member' });
      return to(`${HERE}/members/${username}`);
    },
  },
  'OrgInvitationsController.create': {
    success: 201,
    request: () => to(`${HERE}/invitations`, { json: { role: 'member' } }),
  },
  'OrgInvitationsController.list': { success: 200, request: () => to(`${HERE}/invitations`) },
  'OrgInvitationsController.revoke': {
    success: 204,
    request: async (_, { cast, isAllowed }) => {
      const { id } = isAllowed ? await made(cast, `${HERE}/invitations`, { role: 'member' }) : { id: NO_ID };
      return to(`${HERE}/invitations/${id}`);
    },
  },
  'OrgInvitationAcceptanceController.list': { success: 200, request: () => to('/api/v1/invitations/received') },
  'OrgInvitationAcceptanceController.decline': {
    success: 204,
    request: async (_, { cast, caller, isAllowed }) => {
      if (!isAllowed) return to(`/api/v1/invitations/received/${NO_ID}`);
      const name = cast.unique('elsewhere');
      const by = caller === 'administrator' ? 'orgOwner' : 'administrator';
      await cast.must(by, 'POST', ORGS, { json: { name } });
      const { principal } = CALLERS[caller];
      const username = principal.kind === 'user' ? principal.username : '';
      const reply = await cast.must(by, 'POST', `${ORGS}/${name}/members`, { json: { username, role: 'owner' } });
      return to(`/api/v1/invitations/received/${reply.json<{ id: string }>().id}`);
    },
  },
  'OrgInvitationAcceptanceController.accept': {
    success: 200,
    request: async (_, { cast, isAllowed }) => {
      if (!isAllowed) return to('/api/v1/invitations/accept', { json: { code: 'aerugo_inv_x' } });
      const name = cast.unique('elsewhere');
      await made(cast, ORGS, { name });
      const { code } = await made(cast, `${ORGS}/${name}/invitations`, { role: 'member' });
      return to('/api/v1/invitations/accept', { json: { code } });
    },
  },
};

const teams: RouteRows = {
  'TeamsController.create': {
    success: 201,
    request: (_, { cast }) => to(`${HERE}/teams`, { json: { name: cast.unique('team') } }),
  },
  'TeamsController.list': { success: 200, request: () => to(`${HERE}/teams`) },
  'TeamsController.read': { success: 200, team: 'dev', request: () => to(TEAM) },
  'TeamsController.update': { success: 200, team: 'dev', request: () => to(TEAM, { json: { description: 'matrix' } }) },
  'TeamsController.delete': {
    success: 204,
    request: async (_, { cast, isAllowed }) => {
      const name = cast.unique('team');
      if (isAllowed) await made(cast, `${HERE}/teams`, { name });
      return to(`${HERE}/teams/${isAllowed ? name : 'dev'}`);
    },
  },
  'TeamMembersController.list': { success: 200, team: 'dev', request: () => to(`${TEAM}/members`) },
  'TeamMembersController.add': {
    success: 201,
    team: 'dev',
    request: async (_, { cast }) => {
      await spareInTeam(cast, false);
      return to(`${TEAM}/members`, { json: { username: SPARE } });
    },
  },
  'TeamMembersController.change': {
    success: 200,
    team: 'dev',
    request: async (_, { cast }) => {
      await spareInTeam(cast, true);
      return to(`${TEAM}/members/${SPARE}`, { json: { maintainer: false } });
    },
  },
  'TeamMembersController.remove': {
    success: 204,
    team: 'dev',
    request: async (_, { cast }) => {
      await spareInTeam(cast, true);
      return to(`${TEAM}/members/${SPARE}`);
    },
  },
};

const robots: RouteRows = {
  'RobotsController.create': {
    success: 201,
    request: (_, { cast }) => to(`${HERE}/robots`, { json: { name: cast.unique('robot') } }),
  },
  'RobotsController.list': { success: 200, request: () => to(`${HERE}/robots`) },
  'RobotsController.read': { success: 200, request: () => to(`${HERE}/robots/ci`) },
  'RobotsController.update': {
    success: 200,
    request: () => to(`${HERE}/robots/ci`, { json: { description: 'matrix' } }),
  },
  'RobotsController.delete': {
    success: 204,
    request: async (_, { cast, isAllowed }) => {
      const name = cast.unique('robot');
      if (isAllowed) await made(cast, `${HERE}/robots`, { name });
      return to(`${HERE}/robots/${isAllowed ? name : 'ci'}`);
    },
  },
  'RobotKeysController.create': {
    success: 201,
    request: () => to(`${HERE}/robots/ci/keys`, { json: { name: 'another' } }),
  },
  'RobotKeysController.list': { success: 200, request: () => to(`${HERE}/robots/ci/keys`) },
  'RobotKeysController.revoke': {
    success: 204,
    request: async (_, { cast, isAllowed }) => {
      const { id } = isAllowed ? await made(cast, `${HERE}/robots/ci/keys`, { name: 'short-lived' }) : { id: NO_ID };
      return to(`${HERE}/robots/ci/keys/${id}`);
    },
  },
};

export const ORGANIZATION_ROWS: RouteRows = { ...organizations, ...teams, ...robots };
