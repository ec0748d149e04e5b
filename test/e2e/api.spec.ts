import { beforeAll, describe, expect, it } from '@jest/globals';
import { pushedImage } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import { query } from './left-behind.js';

const world = useWorld();
const PASSWORD = 'a-long-password-1';
let count = 0;
const newName = (): string => `user-${++count}`;

function expectProblem(reply: Reply, code: string): Record<string, unknown> {
  expect(reply.header('content-type')).toBe('application/problem+json');
  const problem = reply.json();
  expect(problem).toMatchObject({ code, status: reply.status });
  for (const field of ['type', 'title', 'requestId']) expect(problem[field]).toEqual(expect.any(String));
  return problem;
}

describe('POST /api/v1/users', () => {
  it('makes a user who owns the namespace of the name', async () => {
    const username = newName();
    const body = { username, password: PASSWORD, email: 'u@example.com', displayName: 'Ü' };
    const reply = await world.admin.api('POST', '/api/v1/users', body).expect(201);
    expect(reply.need('location')).toBe(`/api/v1/users/${username}`);
    expect(reply.json()).toEqual({
      username,
      email: 'u@example.com',
      displayName: 'Ü',
      admin: false,
      disabled: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    const user = world.admin.as(username, PASSWORD);
    await user.startUpload(`${username}/app`);
    user.close();
  });

  it.each([
    [{ username: 'A', password: PASSWORD }, 400, 'VALIDATION_FAILED', 'username'],
    [{ username: 'a--b', password: PASSWORD }, 400, 'VALIDATION_FAILED', 'username'],
    [{ username: 'x'.repeat(40), password: PASSWORD }, 400, 'VALIDATION_FAILED', 'username'],
    [{ username: 'fine', password: '1234567' }, 400, 'VALIDATION_FAILED', 'password'],
    [{ username: 'fine', password: 'x'.repeat(257) }, 400, 'VALIDATION_FAILED', 'password'],
    [{ username: 'fine' }, 400, 'VALIDATION_FAILED', 'password'],
    [{ username: 'fine', password: PASSWORD, email: 'nonsense' }, 400, 'VALIDATION_FAILED', 'email'],
    [{ username: 'fine', password: PASSWORD, admin: true }, 400, 'UNKNOWN_FIELD', 'admin'],
    [{ username: 'robot-ci', password: PASSWORD }, 422, 'IMPOSSIBLE', undefined],
    [{ username: 'v2', password: PASSWORD }, 422, 'IMPOSSIBLE', undefined],
    [{ username: 'alice', password: PASSWORD }, 409, 'NAME_TAKEN', undefined],
  ])('refuses %j with %i %s', async (body, status, code, field) => {
    const problem = expectProblem(await world.admin.api('POST', '/api/v1/users', body).expect(status), code);
    if (field !== undefined) expect(problem['errors']).toEqual([expect.objectContaining({ field })]);
  });

  it('gives a name to one of many who ask at once', async () => {
    const username = newName();
    const ask = (): PromiseLike<Reply> => world.admin.api('POST', '/api/v1/users', { username, password: PASSWORD });
    const statuses = (await Promise.all(Array.from({ length: 6 }, ask))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(await query(world.registry, 'SELECT FROM namespaces WHERE name = $1', [username])).toHaveLength(1);
  });

  it('never gives away a name that a tombstone holds', async () => {
    const username = newName();
    await query(world.registry, `INSERT INTO namespaces (name, kind, deleted_at) VALUES ($1, 'org', now())`, [
      username,
    ]);
    const reply = await world.admin.api('POST', '/api/v1/users', { username, password: PASSWORD });
    expectProblem(reply.expect(409), 'NAME_TAKEN');
  });

  it('is for administrators', async () => {
    const body = { username: newName(), password: PASSWORD };
    expectProblem(await world.alice.api('POST', '/api/v1/users', body).expect(403), 'DENIED');
    expectProblem(await world.anonymous.api('POST', '/api/v1/users', body).expect(401), 'UNAUTHORIZED');
  });

  it('reads JSON and nothing else, and not without end', async () => {
    const send = (type: string, body: string): PromiseLike<Reply> =>
      world.admin.api('POST', '/api/v1/users', undefined, { 'content-type': type, 'x-body': body });
    expectProblem(await send('application/json', ''), 'VALIDATION_FAILED');
    const big = { username: newName(), password: 'x'.repeat(2 << 20) };
    expectProblem(await world.admin.api('POST', '/api/v1/users', big).expect(413), 'BODY_TOO_LARGE');
  });
});

describe('GET /api/v1/users/{username}', () => {
  it('shows a user to themselves and to administrators; to others there is none', async () => {
    await world.alice.api('GET', '/api/v1/users/alice').expect(200);
    await world.admin.api('GET', '/api/v1/users/alice').expect(200);
    const hidden = await world.bob.api('GET', '/api/v1/users/alice').expect(404);
    const none = await world.bob.api('GET', '/api/v1/users/nobody-here').expect(404);
    const shape = ({ requestId: _, ...rest }: Record<string, unknown>): unknown => rest;
    expect(shape(expectProblem(hidden, 'NOT_FOUND'))).toEqual(shape(expectProblem(none, 'NOT_FOUND')));
    await world.admin.api('GET', '/api/v1/users/nobody-here').expect(404);
    await world.anonymous.api('GET', '/api/v1/users/alice').expect(401);
  });

  it('shows neither password nor hash', async () => {
    const reply = await world.admin.api('GET', '/api/v1/users/alice').expect(200);
    expect(reply.text).not.toMatch(/argon2|password|hash/i);
  });
});

describe('/api/v1/repos/{namespace}/{name}', () => {
  let name: string;

  beforeAll(async () => {
    name = 'alice/team/settings';
    await pushedImage(world.alice, name, 'v1');
  });

  const ENCODED = '/api/v1/repos/alice/team%2Fsettings';
  const SPREAD = '/api/v1/repos/alice/team/settings/-';

  it('reads the settings under both spellings of a name of several components', async () => {
    const [encoded, spread] = [await world.alice.api('GET', ENCODED), await world.alice.api('GET', SPREAD)];
    expect(encoded.expect(200).json()).toMatchObject({
      namespace: 'alice',
      name: 'team/settings',
      path: name,
      visibility: 'private',
      sparse: false,
      description: '',
    });
    expect(spread.expect(200).text).toBe(encoded.text);
  });

  it('changes what is given and nothing else, on the next request', async () => {
    await world.anonymous.raw('GET', `/v2/${name}/manifests/v1`).expect(401);
    await world.alice.api('PATCH', ENCODED, { visibility: 'public' }).expect(200);
    await world.anonymous.raw('GET', `/v2/${name}/manifests/v1`).expect(200);
    await world.alice.api('PATCH', SPREAD, { description: 'Settings', sparse: true }).expect(200);
    expect((await world.alice.api('GET', ENCODED)).json()).toMatchObject({
      visibility: 'public',
      description: 'Settings',
      sparse: true,
    });
    await world.alice.api('PATCH', ENCODED, { visibility: 'private', sparse: false, description: '' }).expect(200);
    await world.anonymous.raw('GET', `/v2/${name}/manifests/v1`).expect(401);
  });

  it('changes nothing when If-Match names an older state', async () => {
    const etag = (await world.alice.api('GET', ENCODED)).need('etag');
    const changed = await world.alice.api('PATCH', ENCODED, { description: 'a' }, { 'if-match': etag }).expect(200);
    expect(changed.need('etag')).not.toBe(etag);
    const late = await world.alice.api('PATCH', ENCODED, { description: 'b' }, { 'if-match': etag }).expect(412);
    expectProblem(late, 'PRECONDITION_FAILED');
    expect((await world.alice.api('GET', ENCODED)).json()).toMatchObject({ description: 'a' });
    await world.alice.api('PATCH', ENCODED, { description: 'b' }, { 'if-match': '*' }).expect(200);
  });

  it('lets one of many through that change the same state at once', async () => {
    const etag = (await world.alice.api('GET', ENCODED)).need('etag');
    const patch = (_: unknown, i: number): PromiseLike<Reply> =>
      world.alice.api('PATCH', ENCODED, { description: `writer ${i}` }, { 'if-match': etag });
    const statuses = (await Promise.all(Array.from({ length: 6 }, patch))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412, 412, 412, 412, 412]);
  });

  it.each([
    [{ visibility: 'secret' }, 'VALIDATION_FAILED'],
    [{ visibility: null }, 'VALIDATION_FAILED'],
    [{ sparse: 'yes' }, 'VALIDATION_FAILED'],
    [{ path: 'alice/other' }, 'UNKNOWN_FIELD'],
  ])('refuses %j with %s', async (body, code) => {
    expectProblem(await world.alice.api('PATCH', ENCODED, body).expect(400), code);
  });

  it('tells others what they may know: nothing of a private one, that they may not change a public one', async () => {
    expectProblem(await world.bob.api('GET', ENCODED).expect(404), 'NOT_FOUND');
    expectProblem(await world.bob.api('PATCH', ENCODED, { sparse: true }).expect(404), 'NOT_FOUND');
    await world.setVisibility(name, 'public');
    await world.bob.api('GET', ENCODED).expect(200);
    expectProblem(await world.bob.api('PATCH', ENCODED, { sparse: true }).expect(403), 'DENIED');
    expectProblem(await world.anonymous.api('PATCH', ENCODED, { sparse: true }).expect(401), 'UNAUTHORIZED');
    await world.setVisibility(name, 'private');
  });

  it('has nothing at a name that nobody pushed to, or that cannot be one', async () => {
    expectProblem(await world.alice.api('GET', '/api/v1/repos/alice/nothing').expect(404), 'NOT_FOUND');
    expectProblem(await world.alice.api('GET', '/api/v1/repos/alice/No..name').expect(400), 'MALFORMED_REQUEST');
    expectProblem(await world.alice.api('GET', '/api/v1/repos/alice/%zz').expect(400), 'MALFORMED_REQUEST');
  });

  it('takes a repository by any name for what it is, also one that is called like a route', async () => {
    await pushedImage(world.alice, 'alice/permissions/tags', 'v1');
    const reply = await world.alice.api('GET', '/api/v1/repos/alice/permissions%2Ftags').expect(200);
    expect(reply.json()).toMatchObject({ path: 'alice/permissions/tags' });
  });
});

describe('the management API', () => {
  it('answers what it does not know with a problem', async () => {
    expectProblem(await world.admin.api('GET', '/api/v1/nothing').expect(404), 'NOT_FOUND');
    expectProblem(await world.anonymous.raw('GET', '/elsewhere').expect(404), 'NOT_FOUND');
  });

  it('describes itself', async () => {
    const reply = await world.anonymous.raw('GET', '/api/docs-json').expect(200);
    expect(Object.keys(reply.json<{ paths: object }>().paths)).toContain('/v2/{name}/manifests/{reference}');
    await world.anonymous.raw('GET', '/api/docs').expect(200, { headers: { 'content-type': /^text\/html/ } });
  });

  it('says how it is, to everybody', async () => {
    const health = await world.anonymous.raw('GET', '/api/v1/health').expect(200);
    expect(health.json()).toEqual({
      status: 'ok',
      checks: { database: 'ok', store: 'ok', cache: 'ok' },
      writes: { database: 'ok', store: 'ok' },
    });
    await world.anonymous.raw('GET', '/livez').expect(200);
    await world.anonymous.raw('GET', '/readyz').expect(200);
  });
});
