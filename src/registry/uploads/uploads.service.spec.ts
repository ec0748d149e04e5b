import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  hashOf as digestOf,
  incoming,
  sessionOf,
  UPLOADER,
  uploadTo,
  uploadServices,
  type UploadServices,
} from '../../../test/support/upload-services.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Algorithm } from '../../oci/digest.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { HASH_LIBRARY } from '../hashing/saved-hash.js';
import type { UploadSession } from './upload-session.js';
import type { UploadsService } from './uploads.service.js';

let services: UploadServices;
let uploads: UploadsService;
let repository: RepositoryFact;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
  ({ uploads } = services.node());
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`uploads${++count}`);
});

const KIB = 1024;
/** Sizes that are kept in different ways: in the row, and in the store. */
const SMALL = 10 * KIB;
const LARGE = 300 * KIB;

async function open(algorithm: Algorithm = 'sha256'): Promise<UploadSession> {
  const { id } = await uploads.start(repository, UPLOADER, algorithm);
  return sessionOf(repository, id);
}

function rangeOf(start: number, bytes: Buffer): string {
  return `${start}-${start + bytes.length - 1}`;
}

describe('re-reading the stored bytes', () => {
  const head = randomBytes(SMALL);
  const body = randomBytes(LARGE);
  const tail = randomBytes(KIB);

  /** What is sent before the closing PUT, the PUT's own body, and the algorithms announced and named. */
  const NEVER: readonly (readonly [string, readonly (readonly [Buffer, boolean])[], Buffer | null, Algorithm])[] = [
    ['one stream', [[body, false]], null, 'sha256'],
    ['one small stream', [[head, false]], null, 'sha256'],
    ['one small stream, then sha512', [[head, false]], null, 'sha512'],
    [
      'small streams that stay in the row',
      [
        [head, false],
        [tail, false],
      ],
      tail,
      'sha256',
    ],
    [
      'a small stream, then a large one',
      [
        [head, false],
        [body, false],
      ],
      null,
      'sha256',
    ],
    ['nothing, and the whole body in the PUT', [], body, 'sha512'],
    ['a small stream, and the rest in the PUT', [[head, false]], body, 'sha512'],
    [
      'chunks',
      [
        [body, true],
        [tail, true],
        [body, true],
      ],
      null,
      'sha256',
    ],
    [
      'chunks, the last one in the PUT',
      [
        [body, true],
        [tail, true],
      ],
      tail,
      'sha256',
    ],
    [
      'chunks, then a stream',
      [
        [body, true],
        [body, false],
      ],
      null,
      'sha256',
    ],
  ];
  it.each(NEVER)('never happens after %s', async (_, bodies, last, algorithm) => {
    expect(await readsOf(bodies, last, 'sha256', algorithm)).toBe(0);
  });

  it('never happens when the algorithm was announced', async () => {
    expect(await readsOf([[body, false]], null, 'sha512', 'sha512')).toBe(0);
    expect(
      await readsOf(
        [
          [body, true],
          [tail, true],
        ],
        null,
        'sha512',
        'sha512',
      ),
    ).toBe(0);
  });

  it('happens once when the closing digest is of another algorithm than was computed', async () => {
    expect(await readsOf([[body, false]], null, 'sha256', 'sha512')).toBe(1);
    expect(
      await readsOf(
        [
          [body, true],
          [tail, true],
        ],
        null,
        'sha512',
        'sha256',
      ),
    ).toBe(1);
  });

  it('happens once when a body follows one that was hashed natively', async () => {
    expect(
      await readsOf(
        [
          [body, false],
          [tail, false],
        ],
        null,
        'sha256',
        'sha256',
      ),
    ).toBe(1);
    expect(await readsOf([[body, false]], tail, 'sha256', 'sha256')).toBe(1);
  });

  it('happens once when the state of the hash is from another build', async () => {
    const session = await open();
    await uploads.append(session, incoming(body, rangeOf(0, body)));
    await services.database.query('UPDATE uploads SET hash_library = $2 WHERE id = $1', [session.id, 'older']);
    await uploads.append(session, incoming(tail, rangeOf(body.length, tail)));
    const opens = services.store.counts.open;
    await uploads.close(session, digestOf(Buffer.concat([body, tail])), incoming(null));
    expect(services.store.counts.open - opens).toBe(1);
    expect(HASH_LIBRARY).not.toBe('older');
  });

  it('finds a wrong digest, and then nothing is left', async () => {
    const session = await open();
    await uploads.append(session, incoming(body));
    const wrong = digestOf(tail, 'sha512');
    await expect(uploads.close(session, wrong, incoming(null))).rejects.toMatchObject({ condition: 'digestMismatch' });
    expect([await services.rowOf(session), services.filesOf(session)]).toEqual([undefined, []]);
  });

  async function readsOf(
    bodies: readonly (readonly [Buffer, boolean])[],
    last: Buffer | null,
    announced: Algorithm,
    named: Algorithm,
  ): Promise<number> {
    const session = await open(announced);
    let offset = 0;
    for (const [bytes, isChunk] of bodies) {
      await uploads.append(session, incoming(bytes, isChunk ? rangeOf(offset, bytes) : undefined));
      offset += bytes.length;
    }
    const whole = Buffer.concat([...bodies.map(([bytes]) => bytes), last ?? Buffer.alloc(0)]);
    const opens = services.store.counts.open;
    await uploads.close(session, digestOf(whole, named), incoming(last));
    const reads = services.store.counts.open - opens;
    expect((await services.pull(repository, digestOf(whole, named))).equals(whole)).toBe(true);
    return reads;
  }
});

describe('what a small blob costs', () => {
  it('is one call of the store, at the end', async () => {
    const before = { ...services.store.counts };
    const bytes = randomBytes(16 * KIB);
    const session = await open();
    await uploads.append(session, incoming(bytes));
    expect(services.store.counts).toEqual(before);
    await uploads.close(session, digestOf(bytes), incoming(null));
    expect(services.store.counts).toEqual({ ...before, put: before.put + 1 });
    expect(services.filesOf(session)).toHaveLength(1);
  });

  it('is the same when it is empty, or comes in one request', async () => {
    const before = services.store.counts.put;
    const session = await open();
    await uploads.close(session, digestOf(Buffer.alloc(0)), incoming(null));
    const bytes = randomBytes(100);
    await uploads.storeAtOnce(uploadTo(repository), digestOf(bytes), incoming(bytes));
    expect(services.store.counts.put - before).toBe(2);
    expect(await services.pull(repository, digestOf(Buffer.alloc(0)))).toHaveLength(0);
    expect((await services.pull(repository, digestOf(bytes))).equals(bytes)).toBe(true);
  });
});

describe('an upload and who may go on with it', () => {
  it('belongs to its repository and to the principal that opened it', async () => {
    const session = await open();
    const other = await services.newRepository('other');
    const strangers = [
      { ...session, repository: other },
      { ...session, uploader: { principal: 'user:2', credential: 'password' } },
      { ...session, id: 'no-uuid' },
    ];
    for (const stranger of strangers) {
      const unknown = { condition: 'uploadUnknown' };
      await expect(uploads.status(stranger)).rejects.toMatchObject(unknown);
      await expect(uploads.append(stranger, incoming(Buffer.from('x')))).rejects.toMatchObject(unknown);
      await expect(uploads.append(stranger, incoming(randomBytes(LARGE)))).rejects.toMatchObject(unknown);
      await expect(uploads.close(stranger, digestOf(Buffer.from('x')), incoming(null))).rejects.toMatchObject(unknown);
      await expect(uploads.cancel(stranger)).rejects.toMatchObject(unknown);
    }
    expect((await uploads.status(session)).received).toBe(0);
  });

  it('goes on at another node, and is repeated there after a lost 201', async () => {
    const [first, second, third] = [randomBytes(LARGE), randomBytes(LARGE), randomBytes(SMALL)];
    const [one, two, three] = [services.node().uploads, services.node().uploads, services.node().uploads];
    const session = await open();
    await one.append(session, incoming(first, rangeOf(0, first)));
    await two.append(session, incoming(second, rangeOf(first.length, second)));
    const whole = Buffer.concat([first, second, third]);
    const range = rangeOf(first.length + second.length, third);
    await three.close(session, digestOf(whole), incoming(third, range));
    expect((await services.pull(repository, digestOf(whole))).equals(whole)).toBe(true);
    await one.close(session, digestOf(whole), incoming(third, range));
    await expect(one.close(session, digestOf(first), incoming(null))).rejects.toMatchObject({
      condition: 'uploadUnknown',
    });
  });
});

describe('a node that dies', () => {
  const body = randomBytes(LARGE);

  it('in the middle of a body leaves the upload where it was, and another goes on', async () => {
    const session = await open();
    await uploads.append(session, incoming(body, rangeOf(0, body)));
    // What a dead writer leaves: a claim and a file that no row names.
    const dead = services.node({ ...hanging(), append: () => new Promise(() => undefined) } as never);
    void dead.uploads.append(session, incoming(body, rangeOf(body.length, body)));
    await untilEpoch(session, 2);
    await uploads.append(session, incoming(body, rangeOf(body.length, body)));
    const whole = Buffer.concat([body, body]);
    await uploads.close(session, digestOf(whole), incoming(null));
    expect((await services.pull(repository, digestOf(whole))).equals(whole)).toBe(true);
  });

  it('while the store joins the bytes lets the same PUT be repeated, and only that', async () => {
    const session = await open();
    await uploads.append(session, incoming(body));
    const dead = services.node({ ...hanging(), complete: () => new Promise(() => undefined) } as never);
    void dead.uploads.close(session, digestOf(body), incoming(null));
    await untilState(session, 'completing');
    await endLease(session);
    const invalid = { condition: 'uploadInvalid' };
    await expect(uploads.append(session, incoming(body))).rejects.toMatchObject(invalid);
    await expect(uploads.close(session, digestOf(Buffer.from('x')), incoming(null))).rejects.toMatchObject(invalid);
    expect((await uploads.status(session)).received).toBe(body.length);
    await uploads.close(session, digestOf(body), incoming(null));
    expect((await services.pull(repository, digestOf(body))).equals(body)).toBe(true);
  });

  it('after it took the last body lets the PUT be repeated with that body', async () => {
    const session = await open();
    const last = randomBytes(LARGE);
    const whole = Buffer.concat([body, last]);
    await uploads.append(session, incoming(body, rangeOf(0, body)));
    const dead = services.node({ ...hanging(), complete: () => new Promise(() => undefined) } as never);
    void dead.uploads.close(session, digestOf(whole), incoming(last, rangeOf(body.length, last)));
    await untilState(session, 'completing');
    await endLease(session);
    await uploads.close(session, digestOf(whole), incoming(last, rangeOf(body.length, last)));
    expect((await services.pull(repository, digestOf(whole))).equals(whole)).toBe(true);
  });

  /** Every method of the real store, bound, for one of them to be replaced. */
  function hanging(): object {
    const { store } = services;
    const names = ['append', 'complete', 'put', 'open', 'delete', 'abandon', 'stat'] as const;
    return Object.fromEntries([
      ['driver', store.driver],
      ...names.map((name) => [name, (store[name] as () => unknown).bind(store)]),
    ]) as object;
  }

  async function untilEpoch(session: UploadSession, epoch: number): Promise<void> {
    while (((await services.rowOf(session))?.epoch ?? 0) < epoch)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** What time does once the node is not heard of any more. */
  async function endLease({ id }: UploadSession): Promise<void> {
    await services.database.query('UPDATE uploads SET closing_until = now() WHERE id = $1', [id]);
  }

  async function untilState(session: UploadSession, state: string): Promise<void> {
    while ((await services.rowOf(session))?.state !== state) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

describe('a store that cannot remove what is not needed any more', () => {
  it('takes nothing back of what was acknowledged', async () => {
    const refuse = (): Promise<never> => Promise.reject(new Error('the store is read-only now'));
    const store = Object.create(services.store, { delete: { value: refuse } }) as BlobStore;
    const stubborn = services.node(store).uploads;
    const session = await open();
    const [first, second] = [randomBytes(LARGE), randomBytes(LARGE)];
    await stubborn.append(session, incoming(first, rangeOf(0, first)));
    await stubborn.append(session, incoming(second, rangeOf(LARGE, second)));
    const all = Buffer.concat([first, second]);
    await stubborn.close(session, digestOf(all), incoming(null)); // joins both, and then both are obsolete
    expect(await services.pull(repository, digestOf(all))).toEqual(all);
  });
});

describe('a blob whose repository is deleted while its bytes come', () => {
  it.each([
    ['small', SMALL],
    ['large', LARGE],
  ])('is held by nobody: %s', async (_, size) => {
    const bytes = randomBytes(size);
    const session = await open();
    await uploads.append(session, incoming(bytes));
    await services.database.query('UPDATE repos SET deleted_at = now() WHERE id = $1', [repository.id]);
    const digest = digestOf(bytes);
    await expect(uploads.close(session, digest, incoming(null))).rejects.toMatchObject({ condition: 'nameUnknown' });
    await expect(uploads.storeAtOnce(uploadTo(repository), digest, incoming(bytes))).rejects.toMatchObject({
      condition: 'nameUnknown',
    });
    expect(await services.content.find(repository, digest)).toBeNull();
  });

  it('is asked for its right again by each commit', async () => {
    const bytes = randomBytes(SMALL);
    const gone = { renew: () => Promise.reject(new Error('revoked')) };
    const session = { ...(await open()), authorization: gone };
    await uploads.append(session, incoming(bytes));
    await expect(uploads.close(session, digestOf(bytes), incoming(null))).rejects.toThrow('revoked');
    expect(await services.content.find(repository, digestOf(bytes))).toBeNull();
  });
});
