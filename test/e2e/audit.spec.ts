import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditRow } from '../../src/operations/audit/audit-events.repository.js';
import { pushedImage } from '../conformance/documents.js';
import { signUp, useWorld } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startRegistry } from '../support/registry.js';
import { onTheWire } from '../support/wire.js';
import { query } from './left-behind.js';

const world = useWorld({ AUDIT_MONTHS: '12' });

interface Page {
  readonly items: AuditRow[];
  readonly next: string | null;
}

let carol: RegistryClient;
let dave: RegistryClient;

beforeAll(async () => {
  carol = await signUp(world.admin, 'carol');
  dave = await signUp(world.admin, 'dave');
  await carol.api('POST', '/api/v1/orgs', { name: 'acme' }).expect(201);
  await carol.api('POST', '/api/v1/orgs/acme/members', { username: 'dave', role: 'member' }).expect(201);
});

async function entries(filter: Readonly<Record<string, string>>, client = world.admin): Promise<AuditRow[]> {
  const reply = await client.api('GET', `/api/v1/audit?${new URLSearchParams(filter).toString()}`).expect(200);
  return reply.json<Page>().items;
}

/** What the filter finds once there are that many: entries are written within a second or so. */
async function written(count: number, filter: Readonly<Record<string, string>>): Promise<AuditRow[]> {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {
    const found = await entries(filter);
    if (found.length >= count) return found;
    await sleep(100);
  }
  throw new Error(`fewer than ${count} entries for ${JSON.stringify(filter)}`);
}

describe('what is written down', () => {
  it('is who pushed and deleted which blob, from where and with what', async () => {
    const name = world.newRepository('audit');
    const digest = await world.alice.pushBlob(name, 'some bytes');
    await world.alice.deleteBlob(name, digest).expect(202);
    const [deleted, pushed, made, ...more] = await written(3, { resource: `repo:${name}*` });
    expect(more).toEqual([]);
    expect(made).toMatchObject({ action: 'repo.create', outcome: 'allowed', detail: { visibility: 'private' } });
    expect(deleted).toMatchObject({ action: 'blob.delete', outcome: 'allowed' });
    expect(pushed).toEqual({
      id: expect.any(String),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      actor: 'alice',
      actorKey: expect.stringMatching(/^user:\d+$/),
      credential: 'password',
      address: '127.0.0.1',
      action: 'blob.push',
      resource: `repo:${name}@${digest}`,
      outcome: 'allowed',
      detail: null,
    });
  });

  it('is a mount, an upload at once and one that was cancelled', async () => {
    const [from, to] = [world.newRepository('from'), world.newRepository('to')];
    const digest = await world.alice.pushBlob(from, 'to be mounted');
    await world.alice.mount(to, digest, from).expect(201);
    await world.alice.postBlob(to, 'at once').expect(201);
    await (await world.alice.startUpload(to)).cancel().expect(204);
    const found = await written(4, { resource: `repo:${to}*` });
    expect(found.map(({ action, resource }) => [action, resource])).toEqual([
      ['upload.cancel', `repo:${to}`],
      ['blob.push', `repo:${to}@${digestOf('at once')}`],
      ['blob.mount', `repo:${to}@${digest}`],
      ['repo.create', `repo:${to}`],
    ]);
  });

  it('is a refusal of a token, for what the caller may not know as for what it may not do', async () => {
    const name = world.newRepository('closed');
    await pushedImage(world.alice, name, 'v1');
    await world.bob.getManifest(name, 'v1').expect(404);
    await world.setVisibility(name, 'public');
    await world.bob.api('PATCH', `/api/v1/repos/${name}`, { sparse: true }).expect(403);
    const bob = world.admin.as('bob', 'bob-long-password-1', 'basic');
    await bob.getManifest(name, 'nothing').expect(404); // may look, so this is none
    bob.close();
    const found = await written(2, { actor: 'bob', resource: `repo:${name}*` });
    expect(found.map(({ action, outcome, resource, detail }) => [action, outcome, resource, detail])).toEqual([
      ['repo.update', 'denied', `repo:${name}`, { reason: 'denied', status: 403, requestId: expect.any(String) }],
      ['manifest.pull', 'denied', `repo:${name}:v1`, { reason: 'unknown', status: 404, requestId: expect.any(String) }],
    ]);
  });

  it('is a wrong password and whose it was to be, wherever it was shown, and never the password', async () => {
    const guess = 'Guess-of-a-password-1';
    const node = await startRegistry({ like: world.registry });
    const guesser = node.client.as('alice', guess, 'basic');
    await guesser.raw('GET', '/v2/', { headers: basic('alice', guess) }).expect(401);
    await guesser.raw('GET', '/api/v1/auth/token', { headers: basic('alice', guess) }).expect(401);
    const body = JSON.stringify({ username: 'bob', password: guess });
    await guesser
      .raw('POST', '/api/v1/auth/token', { body, headers: { 'content-type': 'application/json' } })
      .expect(401);
    for (let i = 0; i < 50; i++)
      await guesser.raw('GET', '/v2/', { headers: { authorization: `Bearer nonsense-${i}` } }).expect(401);
    guesser.close();
    await node.stop(); // what the minute has not summed up by then is written now
    const found = await written(4, { actor: 'anonymous', outcome: 'denied' });
    // The first of a reason, and a sum of the others.
    const [one, two, ...sums] = found
      .map(({ action, resource, detail }) => ({ action, resource, ...detail, requestId: undefined, since: undefined }))
      .reverse();
    expect(one).toMatchObject({ action: 'api.read', resource: '/v2/', reason: 'credentialsWrong', username: 'alice' });
    expect(two).toMatchObject({ action: 'api.read', resource: '/v2/', reason: 'tokenInvalid' });
    expect(sums).toEqual([
      expect.objectContaining({ action: 'session.create', reason: 'credentialsWrong', count: 2 }),
      expect.objectContaining({ action: 'api.read', reason: 'tokenInvalid', count: 49 }),
    ]);
    expect(sums[0]).toMatchObject({ resource: '/api/v1/auth/token', usernames: ['alice', 'bob'] });
    const rows = await query<{ row: string }>(world.registry, 'SELECT e::text AS row FROM audit_events e');
    expect(rows.filter(({ row }) => row.includes(guess) || row.includes('nonsense'))).toEqual([]);
  });

  it('is a read of the log itself, however its target is written, and in the words of this registry alone', async () => {
    const { url, username, password } = world.registry;
    const { authorization = '' } = basic(username, password);
    const before = (await entries({ action: 'audit.read' })).length;
    const head = `Host: registry\r\nAuthorization: ${authorization}\r\nX-Request-Id: chosen-by-a-stranger\r\n`;
    const ask = (target: string): Promise<string> =>
      onTheWire(url, `GET ${target} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    for (const target of ['http://elsewhere/api/v1/audit?limit=1', 'repo://alice/api/v1/audit?limit=1'])
      expect(await ask(target)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask('http://elsewhere/api/v1/orgs/none/audit')).toMatch(/^HTTP\/1\.1 404 /);
    const refused = `http://elsewhere/v2/bob/x/manifests/chosen`;
    expect(
      await onTheWire(url, `PUT ${refused} HTTP/1.1\r\n${head.replace('Basic ', 'Bearer x')}Connection: close\r\n\r\n`),
    ).toContain('401');
    await written(before + 3, { action: 'audit.read', resource: '/api/v1/audit' });
    const rows = await query<{ row: string }>(world.registry, 'SELECT e::text AS row FROM audit_events e');
    expect(rows.filter(({ row }) => /chosen-by-a-stranger|elsewhere|repo:\/\//.test(row))).toEqual([]);
  });

  it('is a write that failed, and not an anonymous challenge', async () => {
    const name = world.newRepository('failed');
    const upload = await world.alice.startUpload(name);
    await upload.put(digestOf('other'), 'bytes').expect(400);
    await world.anonymous.raw('GET', `/v2/${name}/manifests/v1`).expect(401);
    const [failed, made, ...more] = await written(2, { resource: `repo:${name}*` });
    expect(more).toEqual([]);
    expect(made).toMatchObject({ actor: 'alice', action: 'repo.create', outcome: 'allowed' });
    expect(failed).toMatchObject({ actor: 'alice', action: 'blob.push', outcome: 'failed' });
    expect(failed?.detail).toMatchObject({ reason: 'digestMismatch', status: 400 });
  });

  it('is no pull, unless pulls are asked for', async () => {
    const name = world.newRepository('pulled');
    await pushedImage(world.alice, name, 'v1');
    const digest = await world.alice.pushBlob(name, 'to be pulled');
    await world.setVisibility(name, 'public');
    const node = await startRegistry({ like: world.registry, env: { AUDIT_PULLS: 'true' } });
    const reader = node.client.anonymous();
    await world.bob.getManifest(name, 'v1').expect(200);
    await reader.getManifest(name, 'v1').expect(200);
    await reader.pullBlob(name, digest);
    await reader.headManifest(name, 'v1').expect(200);
    reader.close();
    await node.stop(); // what it had not written by then, it writes now
    const found = (await entries({ resource: `repo:${name}*` })).filter(({ action }) => action.endsWith('.pull'));
    expect(found.map(({ actor, action, resource }) => [actor, action, resource])).toEqual([
      ['anonymous', 'blob.pull', `repo:${name}@${digest}`],
      ['anonymous', 'manifest.pull', `repo:${name}:v1`],
    ]);
  }, 60_000);
});

function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

describe('an organization', () => {
  const ACME = '/api/v1/orgs/acme/audit';

  it('shows its owners their own part, with who was refused there', async () => {
    await carol.pushBlob('acme/app', 'of acme');
    await pushedImage(carol, 'acme/app', 'v1');
    await world.bob.getManifest('acme/app', 'v1').expect(404);
    await world.bob.getManifest('acme/none', 'v1').expect(404);
    await written(2, { resource: 'repo:acme/*', outcome: 'denied' });
    const { items } = (await carol.api('GET', `${ACME}?limit=1000`).expect(200)).json<Page>();
    const places = new Set(items.map(({ resource }) => resource.split(/[@:]/)[1]));
    // Not acme/none: what nobody has is no part of theirs.
    expect([...places].sort()).toEqual(['acme', 'acme/app', 'acme/member']);
    expect(items[0]).toMatchObject({ actor: 'bob', action: 'manifest.pull', outcome: 'denied' });
    expect(items.some(({ actor, action }) => actor === 'carol' && action === 'blob.push')).toBe(true);
    const all = (await world.admin.api('GET', `${ACME}?limit=1000`).expect(200)).json<Page>();
    expect(all.items.map(({ id }) => id)).toEqual(expect.arrayContaining(items.map(({ id }) => id)));
  });

  it('shows it to no member, no stranger and nobody else', async () => {
    await dave.api('GET', ACME).expect(403);
    await world.bob.api('GET', ACME).expect(404);
    await world.anonymous.raw('GET', ACME).expect(401);
    await world.bob.api('GET', '/api/v1/orgs/nowhere/audit').expect(404);
    await world.admin.api('GET', '/api/v1/orgs/nowhere/audit').expect(404);
    const found = await written(1, { actor: 'dave', action: 'audit.read', outcome: 'denied' });
    expect(found[0]).toMatchObject({ resource: 'org:acme' });
  });

  it('is all that its owners see: the whole log is for administrators', async () => {
    await carol.api('GET', '/api/v1/audit').expect(403);
    await world.anonymous.raw('GET', '/api/v1/audit').expect(401);
  });
});

describe('the list', () => {
  it('goes on from page to page, newest first', async () => {
    const name = world.newRepository('pages');
    for (let i = 0; i < 5; i++) await world.alice.pushBlob(name, `blob ${i}`);
    const filter = `resource=${encodeURIComponent(`repo:${name}*`)}`;
    await written(6, { resource: `repo:${name}*` }); // the repository is one of them, and there at once
    const seen: AuditRow[] = [];
    let path: string | null = `/api/v1/audit?${filter}&limit=2`;
    while (path !== null) {
      const reply: Reply = await world.admin.api('GET', path).expect(200);
      const page = reply.json<Page>();
      seen.push(...page.items);
      const next = /<([^>]+)>; rel="next"/.exec(reply.header('link') ?? '')?.[1] ?? null;
      expect(page.next === null).toBe(next === null);
      path = next;
    }
    expect(seen.map(({ resource }) => resource)).toEqual([
      ...[4, 3, 2, 1, 0].map((i) => `repo:${name}@${digestOf(`blob ${i}`)}`),
      `repo:${name}`,
    ]);
    const [newest, , middle] = seen;
    const between = await entries({ resource: `repo:${name}*`, since: middle?.at ?? '', until: newest?.at ?? '' });
    expect(between.map(({ id }) => id)).toEqual([seen[1]?.id, middle?.id]);
  });

  it('finds entries by principal and by name, and nothing for a name that nobody has', async () => {
    const [byName] = await written(1, { actor: 'alice' });
    const [byKey] = await entries({ actor: byName?.actorKey ?? '' });
    expect(byKey?.actor).toBe('alice');
    expect(await entries({ actor: 'nobody-here' })).toEqual([]);
    expect(await entries({ actor: 'user:999999999' })).toEqual([]);
    const actions = (await written(1, { action: 'blob.*' })).map(({ action }) => action);
    expect(actions.filter((action) => !action.startsWith('blob.'))).toEqual([]);
  });

  it.each([
    ['since=2026-02-30T00:00:00Z', 400, 'VALIDATION_FAILED'],
    ['since=2026-03-01T00:00:00Z&until=2026-02-01T00:00:00Z', 422, 'IMPOSSIBLE'],
    ['outcome=maybe', 400, 'VALIDATION_FAILED'],
    ['who=alice', 400, 'UNKNOWN_FIELD'],
    ['actor=a&actor=b', 400, 'VALIDATION_FAILED'],
    ['actor=%00', 400, 'MALFORMED_REQUEST'],
    ['cursor=W10', 400, 'MALFORMED_REQUEST'],
    [`cursor=${Buffer.from('["infinity","x"]').toString('base64url')}`, 400, 'MALFORMED_REQUEST'],
  ])('refuses ?%s with %i %s', async (text, status, code) => {
    const reply = await world.admin.api('GET', `/api/v1/audit?${text}`).expect(status);
    expect(reply.json()).toMatchObject({ code });
  });

  it('is exported as one line an entry, all of it', async () => {
    await query(
      world.registry,
      `INSERT INTO audit_events (at, id, actor, action, resource, outcome)
       SELECT now() + i * interval '1 microsecond', gen_random_uuid(), 'system', 'test.export', 'export', 'allowed'
       FROM generate_series(1, 2500) i`,
    );
    const reply = await world.admin
      .api('GET', '/api/v1/audit?action=test.export&limit=10', undefined, { accept: 'application/x-ndjson' })
      .expect(200);
    expect(reply.header('content-type')).toBe('application/x-ndjson');
    const lines = reply.text.trimEnd().split('\n');
    expect(new Set(lines.map((line) => (JSON.parse(line) as AuditRow).id)).size).toBe(2500);
    const none = await world.admin
      .api('GET', '/api/v1/audit?actor=nobody-here', undefined, { accept: 'application/x-ndjson' })
      .expect(200);
    expect(none.text).toBe('');
  });
});

describe('the table', () => {
  it('has a partition for each month that anybody may write in, which takes what is written', async () => {
    const rows = await query<{ place: string; rows: string }>(
      world.registry,
      'SELECT tableoid::regclass::text AS place, count(*) AS rows FROM audit_events GROUP BY 1',
    );
    expect(rows.map(({ place }) => place)).not.toContain('audit_events_default');
    const months = await query(world.registry, `SELECT FROM pg_tables WHERE tablename ~ '^audit_events_\\d'`);
    expect(months).toHaveLength(3);
  });
});

describe('an acknowledged change', () => {
  it('is in the log, whatever becomes of the node a moment later', async () => {
    const node = await startRegistry();
    const owner = await signUp(node.client, 'erin');
    await pushedImage(owner, 'erin/app', 'v1');
    for (const visibility of ['public', 'private', 'public']) {
      await owner.api('PATCH', '/api/v1/repos/erin/app', { visibility }).expect(200);
    }
    await node.kill();
    const rows = await query<{ action: string }>(
      node,
      `SELECT action FROM audit_events WHERE resource LIKE 'repo:erin/app%' AND action NOT LIKE 'blob.%' ORDER BY at`,
    );
    const expected = ['repo.create', 'manifest.push', 'repo.update', 'repo.update', 'repo.update'];
    expect(rows.map(({ action }) => action)).toEqual(expected);
  }, 60_000);
});
