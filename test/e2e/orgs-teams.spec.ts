import { describe, expect, it } from '@jest/globals';
import type { Reply } from '../support/http-exchange.js';
import { ACME, actionsOn, itemsOf, ORGS, refused, useAcme, withBasic } from './organizations.js';

const world = useAcme();

describe('a team', () => {
  const DEV = `${ACME}/teams/dev`;

  it('is made, read, renamed and deleted by those who manage the organization', async () => {
    const made = await world.alice.api('POST', `${ACME}/teams`, { name: 'ops', description: 'Runs it' }).expect(201);
    expect(made.need('location')).toBe(`${ACME}/teams/ops`);
    const read = await world.bob.api('GET', `${ACME}/teams/ops`).expect(200);
    expect(read.json()).toEqual(made.json());
    refused(await world.alice.api('POST', `${ACME}/teams`, { name: 'ops' }), 409, 'NAME_TAKEN');
    refused(await world.alice.api('POST', `${ACME}/teams`, { name: 'Ops!' }), 400, 'VALIDATION_FAILED');
    const headers = { 'if-match': read.need('etag') };
    const renamed = await world.alice.api('PATCH', `${ACME}/teams/ops`, { name: 'sre' }, headers).expect(200);
    expect(renamed.json()).toMatchObject({ name: 'sre', description: 'Runs it' });
    refused(await world.alice.api('PATCH', `${ACME}/teams/sre`, { name: 'x1' }, headers), 412, 'PRECONDITION_FAILED');
    refused(await world.alice.api('GET', `${ACME}/teams/ops`), 404, 'NOT_FOUND');
    await world.alice.api('DELETE', `${ACME}/teams/sre`).expect(204);
    refused(await world.alice.api('DELETE', `${ACME}/teams/sre`), 404, 'NOT_FOUND');
    expect(await actionsOn(world, 'org:acme/team:ops')).toEqual(['team.create', 'team.update']);
    expect(await actionsOn(world, 'org:acme/team:sre')).toEqual(['team.delete']);
  });

  it('has members of the organization', async () => {
    await world.alice.api('POST', `${ACME}/teams`, { name: 'dev' }).expect(201);
    const add = (username: string): PromiseLike<Reply> => world.alice.api('POST', `${DEV}/members`, { username });
    refused(await add('dave'), 422, 'IMPOSSIBLE');
    refused(await add('no-such-user'), 422, 'IMPOSSIBLE');
    const made = (await add('carol')).expect(201);
    expect(made.need('location')).toBe(`${DEV}/members/carol`);
    expect(made.json()).toMatchObject({ username: 'carol', maintainer: false });
    refused(await add('carol'), 409, 'CONFLICT');
    await world.alice.api('DELETE', `${DEV}/members/carol`).expect(204);
    refused(await world.alice.api('DELETE', `${DEV}/members/carol`), 404, 'NOT_FOUND');
    expect(await actionsOn(world, 'org:acme/team:dev/member:carol')).toEqual(['team.member.add', 'team.member.remove']);
  });

  it('has maintainers, who decide who is in it and nothing else', async () => {
    refused(await world.bob.api('POST', `${DEV}/members`, { username: 'carol' }), 403, 'DENIED');
    await world.alice.api('POST', `${DEV}/members`, { username: 'bob', maintainer: true }).expect(201);
    await world.bob.api('POST', `${DEV}/members`, { username: 'carol' }).expect(201);
    await world.bob.api('PATCH', `${DEV}/members/carol`, { maintainer: true }).expect(200);
    await world.carol.api('PATCH', `${DEV}/members/carol`, { maintainer: false }).expect(200);
    refused(await world.carol.api('PATCH', `${DEV}/members/carol`, { maintainer: true }), 403, 'DENIED');
    refused(await world.bob.api('PATCH', DEV, { name: 'mine' }), 403, 'DENIED');
    refused(await world.bob.api('DELETE', DEV), 403, 'DENIED');
    refused(await world.bob.api('POST', `${ACME}/teams`, { name: 'mine' }), 403, 'DENIED');
    await world.alice.api('POST', `${ACME}/teams`, { name: 'other' }).expect(201);
    refused(await world.bob.api('POST', `${ACME}/teams/other/members`, { username: 'bob' }), 403, 'DENIED');
    refused(await world.dave.api('GET', DEV), 404, 'NOT_FOUND');
    expect(
      (await itemsOf(world.carol, `${DEV}/members`)).map(({ username, maintainer }) => [username, maintainer]),
    ).toEqual([
      ['bob', true],
      ['carol', false],
    ]);
  });

  it('keeps its maintainers under a new name, and nobody under the old one', async () => {
    await world.alice.api('PATCH', DEV, { name: 'developers' }).expect(200);
    const members = `${ACME}/teams/developers/members`;
    await world.bob.api('PATCH', `${members}/carol`, { maintainer: true }).expect(200);
    await world.alice.api('POST', `${ACME}/teams`, { name: 'dev' }).expect(201);
    refused(await world.bob.api('POST', `${DEV}/members`, { username: 'bob' }), 403, 'DENIED');
  });

  it('gives its members what it was granted, until they leave it or the organization', async () => {
    const bob = withBasic(world, world.bob);
    await world.alice.pushImage('acme/app', 'v1');
    await bob.getManifest('acme/app', 'v1').expect(404);
    const grants = [{ kind: 'team', name: 'developers', role: 'read' }];
    await world.alice.api('PUT', '/api/v1/repos/acme/app/permissions', { grants }).expect(200);
    await bob.getManifest('acme/app', 'v1').expect(200);
    await world.alice.api('DELETE', `${ACME}/teams/developers/members/bob`).expect(204);
    await bob.getManifest('acme/app', 'v1').expect(404);
    await world.alice.api('POST', `${ACME}/teams/developers/members`, { username: 'bob' }).expect(201);
    await bob.getManifest('acme/app', 'v1').expect(200);
    await world.alice.api('DELETE', `${ACME}/members/bob`).expect(204);
    await bob.getManifest('acme/app', 'v1').expect(404);
    await world.alice.api('POST', `${ACME}/members`, { username: 'bob', role: 'member' }).expect(201);
    await bob.getManifest('acme/app', 'v1').expect(404);
    await world.alice.api('POST', `${ACME}/teams/developers/members`, { username: 'bob' }).expect(201);
    await bob.getManifest('acme/app', 'v1').expect(200);
    await world.alice.api('DELETE', `${ACME}/teams/developers`).expect(204);
    await bob.getManifest('acme/app', 'v1').expect(404);
    bob.close();
  });

  it('is in the list of teams, page by page in the order of names', async () => {
    const first = await world.bob.api('GET', `${ACME}/teams?limit=1`).expect(200);
    const { items, next } = first.json<{ items: { name: string }[]; next: string }>();
    expect(items.map(({ name }) => name)).toEqual(['dev']);
    const rest = await itemsOf(world.bob, `${ACME}/teams?limit=10&cursor=${next}`);
    expect(rest.map(({ name }) => name)).toEqual(['other']);
  });
});

describe('a robot', () => {
  const CI = `${ACME}/robots/ci`;

  it('is made, read under both of its names, changed and deleted', async () => {
    const made = await world.alice.api('POST', `${ACME}/robots`, { name: 'ci', description: 'Builds' }).expect(201);
    expect(made.need('location')).toBe(CI);
    const shown = { name: 'ci', login: 'robot-acme.ci', description: 'Builds', expiresAt: null, disabled: false };
    expect(made.json()).toMatchObject(shown);
    for (const name of ['ci', 'robot-acme.ci']) {
      expect((await world.bob.api('GET', `${ACME}/robots/${name}`).expect(200)).json()).toEqual(made.json());
    }
    refused(await world.alice.api('POST', `${ACME}/robots`, { name: 'ci' }), 409, 'NAME_TAKEN');
    const headers = { 'if-match': (await world.alice.api('GET', CI)).need('etag') };
    const changes = { disabled: true, expiresAt: '2999-01-02T03:04:05+01:00' };
    expect((await world.alice.api('PATCH', CI, changes, headers).expect(200)).json()).toMatchObject({
      ...shown,
      disabled: true,
      expiresAt: '2999-01-02T02:04:05.000Z',
    });
    refused(await world.alice.api('PATCH', CI, { disabled: false }, headers), 412, 'PRECONDITION_FAILED');
    expect((await world.alice.api('PATCH', CI, { expiresAt: null }).expect(200)).json()).toMatchObject({
      disabled: true,
      expiresAt: null,
    });
    await world.alice.api('DELETE', `${ACME}/robots/robot-acme.ci`).expect(204);
    refused(await world.alice.api('GET', CI), 404, 'NOT_FOUND');
    expect(await actionsOn(world, 'org:acme/robot:ci')).toEqual([
      'robot.create',
      'robot.update',
      'robot.update',
      'robot.delete',
    ]);
  });

  it.each([
    [{ name: 'a.b' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'c' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', disabled: true }, 400, 'UNKNOWN_FIELD'],
    [{ name: 'fine', expiresAt: 'tomorrow' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', expiresAt: '2999-02-31T00:00:00Z' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', expiresAt: '2999-01-01' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', expiresAt: '2020-01-01T00:00:00Z' }, 400, 'VALIDATION_FAILED'],
  ])('is not made of %j: %i %s', async (body, status, code) => {
    refused(await world.alice.api('POST', `${ACME}/robots`, body), status, code);
  });

  it('belongs to its organization alone, and is managed by those who manage that', async () => {
    await world.alice.api('POST', `${ACME}/robots`, { name: 'deploy' }).expect(201);
    await world.alice.api('POST', ORGS, { name: 'acme.x' }).expect(201);
    await world.alice.api('POST', `${ORGS}/acme.x/robots`, { name: 'deploy' }).expect(201);
    for (const name of ['robot-acme.deploy', 'robot-acme.x.deploy', 'x.deploy', '%00', 'robot-acme.']) {
      const found = name === 'robot-acme.deploy' ? 200 : 404;
      await world.alice.api('GET', `${ACME}/robots/${name}`).expect(found);
    }
    expect((await itemsOf(world.bob, `${ACME}/robots`)).map(({ login }) => login)).toEqual(['robot-acme.deploy']);
    refused(await world.bob.api('PATCH', `${ACME}/robots/deploy`, { disabled: true }), 403, 'DENIED');
    refused(await world.bob.api('DELETE', `${ACME}/robots/deploy`), 403, 'DENIED');
    refused(await world.dave.api('GET', `${ACME}/robots/deploy`), 404, 'NOT_FOUND');
  });
});
