import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/processes.js';
import {
  hashOf,
  incoming,
  sessionOf,
  UPLOADER,
  uploadServices,
  uploadTo,
  type UploadServices,
} from '../../../../test/support/upload-services.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import type { UploadSession } from '../upload-session.js';

type Node = ReturnType<UploadServices['node']>;

const MOST = 20;
const ONE_DAY = 86_400;
const REFUSED = { condition: 'tooManyUploads', status: 429 };
const SMALL = 60 * 1024;

let services: UploadServices;
let repository: RepositoryFact;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`open${++count}`);
});

function nodeWith(drafts: 'none' | 'lasting' = 'none'): Node {
  return services.node(services.store, ONE_DAY, drafts, MOST);
}

/** Each test is somebody else. */
async function open({ uploads }: Node, principal = `user:${count}`): Promise<UploadSession> {
  const { id } = await uploads.start(repository, { ...UPLOADER, principal }, 'sha256');
  return { ...sessionOf(repository, id), uploader: { ...UPLOADER, principal } };
}

async function openMany(nodes: readonly Node[], attempts: number): Promise<UploadSession[]> {
  const tries = Array.from({ length: attempts }, (_, index) => open(nodes[index % nodes.length] ?? nodeWith()));
  const settled = await Promise.allSettled(tries);
  for (const one of settled) if (one.status === 'rejected') expect(one.reason).toMatchObject(REFUSED);
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** Seconds until the upload expires. */
async function lifeOf({ id }: UploadSession): Promise<number> {
  const [row] = await services.database.query<{ left: number }>(
    'SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM uploads WHERE id = $1',
    [id],
  );
  return row?.left ?? 0;
}

describe('open uploads of one principal', () => {
  it.each(['none', 'lasting'] as const)(
    'are as many as may be and no more, all at once, with drafts: %s',
    async (drafts) => {
      const node = nodeWith(drafts);
      expect(await openMany([node], 3 * MOST)).toHaveLength(MOST);
      await expect(open(node)).rejects.toMatchObject(REFUSED);
      await expect(open(node, `user:${count}0000`)).resolves.toBeDefined();
    },
  );

  it('may be a few more where several nodes count', async () => {
    const nodes = [nodeWith(), nodeWith(), nodeWith()];
    const opened = await openMany(nodes, 4 * MOST);
    expect(opened.length).toBeGreaterThanOrEqual(MOST);
    expect(opened.length).toBeLessThanOrEqual(MOST + (nodes.length * MOST) / 10);
  });

  it('make room when one ends, and finished ones do not count', async () => {
    const node = nodeWith();
    const [first] = await openMany([node], MOST + 1);
    if (!first) throw new Error('none was opened');
    await node.uploads.cancel(first);
    await eventually('room for another', () =>
      open(node).then(
        () => true,
        () => false,
      ),
    );
    const other = `user:${count}0000`;
    for (let index = 0; index < 2 * MOST; index++) {
      const session = await open(node, other);
      const bytes = randomBytes(100);
      await node.uploads.append(session, incoming(bytes));
      await node.uploads.close(session, hashOf(bytes), incoming(null));
    }
  });

  it('count when their bytes come with the request that opens them', async () => {
    const node = nodeWith();
    await openMany([node], MOST);
    const bytes = randomBytes(100);
    const uploader = { ...UPLOADER, principal: `user:${count}` };
    const target = { ...uploadTo(repository), uploader };
    await expect(node.uploads.storeAtOnce(target, hashOf(bytes), incoming(bytes))).rejects.toMatchObject(REFUSED);
  });
});

describe('an upload', () => {
  it('without a byte lives for an hour, and from its first byte on for as long as every other', async () => {
    const node = services.node(services.store, ONE_DAY);
    const session = await open(node);
    expect(await lifeOf(session)).toBeLessThanOrEqual(3_600);
    await node.uploads.append(session, incoming(randomBytes(100)));
    expect(await lifeOf(session)).toBeGreaterThan(ONE_DAY - 600);
  });

  it('lives on while its first body is on its way, however slow that is', async () => {
    const node = services.node(services.store, ONE_DAY);
    for (const send of ['append', 'close'] as const) {
      const [session, body, bytes] = [await open(node), new PassThrough(), randomBytes(200 * 1024)];
      body.write(bytes.subarray(0, 100 * 1024));
      const sent =
        send === 'append'
          ? node.uploads.append(session, incoming(body))
          : node.uploads.close(session, hashOf(bytes), incoming(body));
      await eventually('a claim', async () => (await lifeOf(session)) > ONE_DAY - 600);
      body.end(bytes.subarray(100 * 1024));
      await sent;
    }
  });

  it('has an hour again when its first body was cut off', async () => {
    const node = services.node(services.store, ONE_DAY);
    const [session, body] = [await open(node), new PassThrough()];
    body.write(randomBytes(100 * 1024));
    const sent = node.uploads.append(session, incoming(body)).catch((error: unknown) => error);
    await eventually('a claim', async () => (await lifeOf(session)) > ONE_DAY - 600);
    body.destroy(new Error('the client left'));
    expect(await sent).toBeInstanceOf(Error);
    expect(await lifeOf(session)).toBeLessThanOrEqual(3_600);
  });

  it('goes to the store when rows of its principal hold 8 MiB, and nothing of it is lost', async () => {
    const node = services.node(services.store, ONE_DAY);
    const principal = `user:${count}`;
    const pushed: [UploadSession, Buffer][] = [];
    for (let index = 0; index < 170; index++) {
      const [session, bytes] = [await open(node), randomBytes(SMALL)];
      expect(await node.uploads.append(session, incoming(bytes))).toMatchObject({ received: SMALL });
      pushed.push([session, bytes]);
    }
    const [row] = await services.database.query<{ inline: number; outside: number }>(
      `SELECT sum(octet_length(head))::int AS inline, count(*) FILTER (WHERE head IS NULL)::int AS outside
       FROM uploads WHERE principal = $1`,
      [principal],
    );
    expect(row?.inline).toBeLessThanOrEqual(8 * 1024 * 1024 + SMALL);
    expect(row?.outside).toBeGreaterThan(20);
    for (const [session, bytes] of [...pushed.slice(0, 2), ...pushed.slice(-2)]) {
      await node.uploads.close(session, hashOf(bytes), incoming(null));
      expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
    }
  }, 60_000);
});
