import type { Reply } from '../../support/http-exchange.js';
import type { RegistryClient } from '../../support/registry-client.js';
import type { Walk } from './walk.js';

const ORG = '/api/v1/orgs/{org}';
const org = 'acme';

const idOf = (reply: Reply): string => reply.json<{ id: string }>().id;
const tomorrow = (): string => new Date(Date.now() + 86_400_000).toISOString();

interface People {
  /** Owns the organization. */
  readonly alice: RegistryClient;
  readonly bob: RegistryClient;
}

export async function walkOrganization(walk: Walk, { alice: by }: People): Promise<void> {
  const create = { route: 'POST /api/v1/orgs', by, json: { name: org, displayName: 'Acme' } };
  await walk.step({ ...create, status: 201, events: [['organization.created', 'org:acme']] });
  await walk.step({ ...create, status: 409, events: [] });
  const update = { route: `PATCH ${ORG}`, by, at: { org }, json: { defaultRole: 'read' }, status: 200 };
  await walk.step({ ...update, events: [['organization.updated', 'org:acme']] });
  await walk.step({ ...update, events: [] });
}

/** `bob` is a member afterwards. */
export async function walkMembers(walk: Walk, { alice: by, bob }: People): Promise<void> {
  const at = { org, username: 'bob' };
  const add = { route: `POST ${ORG}/members`, by, at };
  const change = { route: `PATCH ${ORG}/members/{username}`, by, at, status: 200 };
  const invited = (reply: Reply) => [['invitation.created', `org:acme/invitation:${idOf(reply)}`]] as const;
  const part = 'org:acme/member:bob';
  await walk.step({ ...add, json: { username: 'bob', role: 'member' }, status: 201, events: [['member.added', part]] });
  await walk.step({ ...add, json: { username: 'bob', role: 'member' }, status: 409, events: [] });
  await walk.step({ ...change, json: { role: 'admin' }, events: [['member.changed', part]] });
  await walk.step({ ...change, json: { role: 'admin' }, events: [] });
  const offer = { ...change, json: { role: 'owner' }, status: 202 };
  const id = idOf(await walk.step({ ...offer, events: invited }));
  const accept = { route: 'POST /api/v1/invitations/accept', by: bob };
  await walk.step({
    ...accept,
    json: { id },
    status: 200,
    events: [['invitation.accepted', `org:acme/invitation:${id}`]],
  });
  await walk.step({ ...accept, json: { id }, status: 422, events: [] });
  await walk.step({
    route: `DELETE ${ORG}/members/{username}`,
    by,
    at,
    status: 204,
    events: [['member.removed', part]],
  });
  const again = idOf(
    await walk.step({ ...add, json: { username: 'bob', role: 'owner' }, status: 202, events: invited }),
  );
  const decline = { route: 'DELETE /api/v1/invitations/received/{id}', by: bob, at: { id: again } };
  await walk.step({ ...decline, status: 204, events: [['invitation.declined', `org:acme/invitation:${again}`]] });
  await walk.step({ ...decline, status: 404, events: [] });
  const code = { route: `POST ${ORG}/invitations`, by, at, json: { role: 'member' }, status: 201, events: invited };
  const unused = idOf(await walk.step(code));
  await walk.step({
    route: `DELETE ${ORG}/invitations/{id}`,
    by,
    at: { org, id: unused },
    status: 204,
    events: [['invitation.revoked', `org:acme/invitation:${unused}`]],
  });
  const used = (await walk.step(code)).json<{ id: string; code: string }>();
  await walk.step({
    ...accept,
    json: { code: used.code },
    status: 200,
    events: [['invitation.accepted', `org:acme/invitation:${used.id}`]],
  });
}

export async function walkTeams(walk: Walk, { alice: by }: People): Promise<void> {
  const at = { org, team: 'dev', username: 'bob' };
  await walk.step({
    route: `POST ${ORG}/teams`,
    by,
    at,
    json: { name: 'ops' },
    status: 201,
    events: [['team.created', 'org:acme/team:ops']],
  });
  const update = { route: `PATCH ${ORG}/teams/{team}`, by, status: 200 };
  const renamed = { name: 'dev', description: 'Builds' };
  await walk.step({
    ...update,
    at: { org, team: 'ops' },
    json: renamed,
    events: [['team.updated', 'org:acme/team:ops']],
  });
  await walk.step({ ...update, at, json: renamed, events: [] });
  const part = 'org:acme/team:dev/member:bob';
  const add = { route: `POST ${ORG}/teams/{team}/members`, by, at, json: { username: 'bob' } };
  await walk.step({ ...add, status: 201, events: [['team.member.added', part]] });
  await walk.step({ ...add, status: 409, events: [] });
  const change = {
    route: `PATCH ${ORG}/teams/{team}/members/{username}`,
    by,
    at,
    json: { maintainer: true },
    status: 200,
  };
  await walk.step({ ...change, events: [['team.member.changed', part]] });
  await walk.step({ ...change, events: [] });
  const remove = { route: `DELETE ${ORG}/teams/{team}/members/{username}`, by, at };
  await walk.step({ ...remove, status: 204, events: [['team.member.removed', part]] });
  await walk.step({ ...remove, status: 404, events: [] });
  const end = { route: `DELETE ${ORG}/teams/{team}`, by, at };
  await walk.step({ ...end, status: 204, events: [['team.deleted', 'org:acme/team:dev']] });
  await walk.step({ ...end, status: 404, events: [] });
}

export async function walkRobots(walk: Walk, { alice: by }: People): Promise<void> {
  const at = { org, robot: 'ci' };
  const part = 'org:acme/robot:ci';
  const create = { route: `POST ${ORG}/robots`, by, at, json: { name: 'ci', expiresAt: tomorrow() } };
  await walk.step({ ...create, status: 201, events: [['robot.created', part]] });
  await walk.step({ ...create, status: 409, events: [] });
  const update = { route: `PATCH ${ORG}/robots/{robot}`, by, at, status: 200 };
  await walk.step({ ...update, json: { disabled: true, expiresAt: null }, events: [['robot.updated', part]] });
  await walk.step({ ...update, json: {}, events: [] });
  const keys = `${ORG}/robots/{robot}/keys`;
  const keyOf = (id: string): string => `org:acme/robot:robot-acme.ci/key:${id}`;
  const made = (reply: Reply) => [['key.created', keyOf(idOf(reply))]] as const;
  const id = idOf(await walk.step({ route: `POST ${keys}`, by, at, json: { name: 'ci' }, status: 201, events: made }));
  const revoke = { route: `DELETE ${keys}/{id}`, by, at: { ...at, id } };
  await walk.step({ ...revoke, status: 204, events: [['key.revoked', keyOf(id)]] });
  await walk.step({ ...revoke, status: 404, events: [] });
  const end = { route: `DELETE ${ORG}/robots/{robot}`, by, at };
  await walk.step({ ...end, status: 204, events: [['robot.deleted', part]] });
  await walk.step({ ...end, status: 404, events: [] });
}

/** With the one repository that is left in it. */
export async function walkOrganizationEnd(walk: Walk, { alice: by }: People): Promise<void> {
  const end = { route: `DELETE ${ORG}`, by, at: { org } };
  await walk.step({ ...end, query: 'force=true&repositories=7', status: 409, events: [] });
  await walk.step({
    ...end,
    query: 'force=true&repositories=1',
    status: 204,
    events: [
      ['repository.deleted', 'repo:acme/left'],
      ['organization.deleted', 'org:acme'],
    ],
  });
}
