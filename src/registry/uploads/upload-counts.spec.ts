import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  hashOf,
  incoming,
  sessionOf,
  UPLOADER,
  uploadTo,
  uploadServices,
  type UploadServices,
} from '../../../test/support/upload-services.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { ACTIVE_UPLOADS, STREAMED_UPLOADS } from './upload-counts.js';
import type { UploadSession } from './upload-session.js';
import type { UploadsService } from './uploads.service.js';

const SIZE = 300 * 1024; // more than a row keeps

let services: UploadServices;
let uploads: UploadsService;
let repository: RepositoryFact;
let before: Record<string, number>;

beforeAll(async () => {
  services = await uploadServices();
  ({ uploads } = services.node());
  repository = await services.newRepository('counted');
}, 60_000);

beforeEach(() => {
  before = Object.fromEntries(STREAMED_UPLOADS.entries());
});

function counted(): Record<string, number> {
  const changes = [...STREAMED_UPLOADS.entries()].map(([kind, count]) => [kind, count - (before[kind] ?? 0)]);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0)) as Record<string, number>;
}

async function open(): Promise<UploadSession> {
  const { id } = await uploads.start(repository, UPLOADER, 'sha256');
  return sessionOf(repository, id);
}

async function* broken(): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield randomBytes(SIZE);
  throw new Error('the client left');
}

describe('what is counted of uploads', () => {
  it('is one blob, however its requests are repeated', async () => {
    const body = randomBytes(SIZE);
    const session = await open();
    await uploads.append(session, incoming(body));
    await uploads.close(session, hashOf(body), incoming(null));
    await uploads.close(session, hashOf(body), incoming(null));
    expect(counted()).toEqual({ started: 1, completed: 1 });
  });

  it('tells a broken connection from one who comes back and goes on', async () => {
    const session = await open();
    await uploads.append(session, incoming(randomBytes(SIZE)));
    await expect(uploads.append(session, incoming(Readable.from(broken())))).rejects.toThrow();
    expect(await uploads.status(session)).toMatchObject({ received: SIZE });
    expect(counted()).toEqual({ started: 1, interrupted: 1, resumed: 1 });
    expect(ACTIVE_UPLOADS.of('streamed')).toBe(0);
  });

  it('tells one that its client ended from one that cannot be a blob', async () => {
    await uploads.cancel(await open());
    const wrong = hashOf(randomBytes(10));
    await expect(uploads.close(await open(), wrong, incoming(randomBytes(10)))).rejects.toThrow();
    await expect(uploads.storeAtOnce(uploadTo(repository), wrong, incoming(randomBytes(10)))).rejects.toThrow();
    await expect(uploads.storeAtOnce(uploadTo(repository), wrong, incoming(randomBytes(SIZE)))).rejects.toThrow();
    expect(counted()).toEqual({ started: 4, cancelled: 1, failed: 3 });
  });

  it('has one that nobody finished, once', async () => {
    const { uploads: brief, sweeper } = services.node(undefined, 0);
    const { id } = await brief.start(repository, UPLOADER, 'sha256');
    await sweeper.sweep();
    await sweeper.sweep();
    expect(await services.rowOf(sessionOf(repository, id))).toBeUndefined();
    expect(counted()).toMatchObject({ started: 1, expired: 1 });
  });
});
