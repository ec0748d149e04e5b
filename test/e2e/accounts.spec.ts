import { describe, expect, it } from '@jest/globals';
import { pushedImage } from '../conformance/documents.js';
import { signUp, useWorld } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';

interface List {
  readonly items: readonly { readonly username: string }[];
  readonly next: string | null;
}

const world = useWorld();
let count = 0;
const newName = (): string => `person-${++count}`;

function expectProblem(reply: Reply, status: number, code: string): Record<string, unknown> {
  expect(reply.expect(status).header('content-type')).toBe('application/problem+json');
  expect(reply.json()).toMatchObject({ code, status });
  return reply.json();
}

async function newUser(): Promise<RegistryClient & { readonly name: string }> {
  const name = newName();
  return Object.assign(await signUp(world.admin, name), { name });
}

/** What was done to it. What was refused or failed is written a moment later, and not asked for here. */
async function actions(resource: string): Promise<unknown[]> {
  const rows = await query<{ action: string }>(
    world.registry,
    `SELECT action FROM audit_events WHERE resource = $1 AND outcome = 'allowed' ORDER BY at, id`,
    [resource],
  );
  return rows.map(({ action }) => action);
}

describe('GET /api/v1/users', () => {
  it('lists users by name for administrators, page by page', async () => {
    const made = [];
    for (const end of ['c', 'a', 'b']) {
      made.push(`paged-${end}`);
      await signUp(world.admin, `paged-${end}`);
    }
    const seen: string[] = [];
    let path: string | null = '/api/v1/users?q=paged&limit=2';
    while (path !== null) {
      const reply: Reply = await world.admin.api('GET', path).expect(200);
      const page = reply.json<List>();
      seen.push(...page.items.map(({ username }) => username));
      path = /<([^>]+)>; rel="next"/.exec(reply.header('link') ?? '')?.[1] ?? null;
      expect(page.next === null).toBe(path === null);
    }
    expect(seen).toEqual(made.sort());
  });

  it('is for administrators, and takes no beginning that no name has', async () => {
    expectProblem(await world.alice.api('GET', '/api/v1/users'), 403, 'DENIED');
    expectProblem(await world.anonymous.api('GET', '/api/v1/users'), 401, 'UNAUTHORIZED');
    for (const bad of ['q=A', 'q=%00', 'limit=0', 'cursor=x', 'page=2']) {
      await world.admin.api('GET', `/api/v1/users?${bad}`).expect(400);
    }
  });
});

describe('PATCH /api/v1/users/{username}', () => {
  it('lets users say who they are, and take it back', async () => {
    const user = await newUser();
    const path = `/api/v1/users/${user.name}`;
    const changed = await user.api('PATCH', path, { email: 'p@example.com', displayName: 'P' }).expect(200);
    expect(changed.json()).toMatchObject({ email: 'p@example.com', displayName: 'P', admin: false });
    const cleared = await user.api('PATCH', path, { email: null }).expect(200);
    expect(cleared.json()).toMatchObject({ email: null, displayName: 'P' });
    await user.api('PATCH', path, { email: 'nonsense' }).expect(400);
    expect(await actions(`user:${user.name}`)).toEqual(['user.create', 'session.create', 'user.update', 'user.update']);
  });

  it('keeps what only administrators may say from everybody else', async () => {
    const user = await newUser();
    const path = `/api/v1/users/${user.name}`;
    for (const changes of [{ admin: true }, { disabled: true }, { email: 'p@example.com', admin: true }]) {
      expectProblem(await user.api('PATCH', path, changes), 403, 'DENIED');
      expectProblem(await world.bob.api('PATCH', path, changes), 404, 'NOT_FOUND');
    }
    expectProblem(await world.bob.api('PATCH', path, { email: 'b@example.com' }), 404, 'NOT_FOUND');
    expectProblem(await world.anonymous.api('PATCH', path, { admin: true }), 401, 'UNAUTHORIZED');
    expect((await user.api('GET', path).expect(200)).json()).toMatchObject({ admin: false, email: null });
  });

  it('changes nothing when If-Match names an older state', async () => {
    const user = await newUser();
    const path = `/api/v1/users/${user.name}`;
    const etag = (await user.api('GET', path)).need('etag');
    const patch = (displayName: string): PromiseLike<Reply> =>
      user.api('PATCH', path, { displayName }, { 'if-match': etag });
    const statuses = (await Promise.all(['a', 'b', 'c'].map(patch))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412, 412]);
    expectProblem(await patch('d'), 412, 'PRECONDITION_FAILED');
    const now = await user.api('GET', path).expect(200);
    expect(now.need('etag')).not.toBe(etag);
    await user.api('PATCH', path, { displayName: 'e' }, { 'if-match': now.need('etag') }).expect(200);
  });

  it('does not let an administrator shut out themselves', async () => {
    for (const changes of [{ admin: false }, { disabled: true }]) {
      expectProblem(await world.admin.api('PATCH', '/api/v1/users/admin', changes), 422, 'IMPOSSIBLE');
    }
    await world.admin.api('PATCH', '/api/v1/users/admin', { displayName: 'Root' }).expect(200);
  });
});

describe('DELETE /api/v1/users/{username}', () => {
  it('ends every credential on the next request, and the name stays taken until it is released', async () => {
    const user = await newUser();
    const path = `/api/v1/users/${user.name}`;
    const password = user.options.password ?? '';
    const basic = world.admin.as(user.name, password, 'basic');
    await user.api('GET', path).expect(200);
    await basic.raw('GET', '/v2/').expect(401);
    await basic.request('GET', '/v2/').expect(200);
    await user.api('PUT', `/api/v1/repos/${user.name}/app`, {}).expect(201);
    await user.api('DELETE', `/api/v1/repos/${user.name}/app`).expect(204);
    expectProblem(await world.bob.api('DELETE', path), 404, 'NOT_FOUND');
    await user.api('DELETE', path).expect(204);
    expectProblem(await user.api('GET', path), 401, 'INVALID_CREDENTIALS');
    await basic.request('GET', '/v2/').expect(401);
    expectProblem(await world.admin.api('DELETE', path), 404, 'NOT_FOUND');

    const again = { username: user.name, password };
    expectProblem(await world.admin.api('POST', '/api/v1/users', again), 409, 'NAME_TAKEN');
    const release = `/api/v1/namespaces/${user.name}/release`;
    expectProblem(await world.alice.api('POST', release), 403, 'DENIED');
    await world.admin.api('POST', release).expect(204);
    expectProblem(await world.admin.api('POST', release), 404, 'NOT_FOUND');
    await world.admin.api('POST', '/api/v1/users', again).expect(201);
    expectProblem(await world.admin.api('POST', release), 409, 'CONFLICT');
    expectProblem(await user.api('GET', path), 401, 'INVALID_CREDENTIALS');
    expect(await actions(`namespace:${user.name}`)).toEqual(['namespace.release']);
  });

  it('is refused while the namespace has repositories', async () => {
    const user = await newUser();
    await pushedImage(user, `${user.name}/app`, 'v1');
    expectProblem(await world.admin.api('DELETE', `/api/v1/users/${user.name}`), 409, 'CONFLICT');
    await query(world.registry, 'UPDATE repos SET deleted_at = now() WHERE path = $1', [`${user.name}/app`]);
    await world.admin.api('DELETE', `/api/v1/users/${user.name}`).expect(204);
  });

  it('and a push into the namespace at the same time leave no repository of nobody', async () => {
    for (let round = 0; round < 10; round++) {
      const user = await newUser();
      // What the two requests ask for beforehand: they alone are to meet.
      await user.token(`repository:${user.name}/app:pull,push,delete`);
      await user.api('GET', '/api/v1/auth/me').expect(200);
      const [deleted, pushed] = await Promise.all([
        user.api('DELETE', `/api/v1/users/${user.name}`),
        user.request('POST', `/v2/${user.name}/app/blobs/uploads/`),
      ]);
      expect([204, 409]).toContain(deleted.status);
      expect([202, 401, 404]).toContain(pushed.status);
      const orphans = await query(
        world.registry,
        'SELECT r.path FROM repos r JOIN namespaces n ON n.id = r.namespace_id WHERE n.deleted_at IS NOT NULL AND r.deleted_at IS NULL',
      );
      expect(orphans).toEqual([]);
    }
  });

  it('is refused for the last administrator', async () => {
    expectProblem(await world.admin.api('DELETE', '/api/v1/users/admin'), 409, 'CONFLICT');
  });
});
