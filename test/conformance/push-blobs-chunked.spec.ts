import { Readable } from 'node:stream';
import { beforeAll, describe, expect } from '@jest/globals';
import { type Algorithm, digestOf } from '../support/content.js';
import { someBytes } from './documents.js';
import { must, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(() => {
  repository = world.newRepository();
});

const ALGORITHMS: readonly Algorithm[] = ['sha256', 'sha512'];

/** The smallest chunk that the registry wants; every chunk but the last is at least this long. */
async function announcedChunkLength(): Promise<string | undefined> {
  const opened = await world.alice.request('POST', `/v2/${repository}/blobs/uploads/`).expect(202);
  return opened.header('oci-chunk-min-length');
}

async function chunkLength(): Promise<number> {
  return Math.max(1024, Number((await announcedChunkLength()) ?? 0));
}

function rangeOf(start: number, chunk: Buffer): string {
  return `${start}-${start + chunk.length - 1}`;
}

async function expectPullable(digest: string, bytes: Buffer): Promise<void> {
  const pulled = await world.alice.pullBlob(repository, digest);
  expect(pulled.equals(bytes)).toBe(true);
}

describe('Pushing a blob in chunks (end-4a, end-5, end-6)', () => {
  for (const algorithm of ALGORITHMS) {
    must(`answers each chunk with 202, Location and Range, and the closing PUT with 201 (${algorithm})`, async () => {
      const upload = await world.alice.startUpload(repository, `digest-algorithm=${algorithm}`);
      const size = await chunkLength();
      const bytes = someBytes(size * 2 + 100);
      for (const start of [0, size, size * 2]) {
        const chunk = bytes.subarray(start, start + size);
        const range = `0-${start + chunk.length - 1}`;
        const reply = await upload.patch(rangeOf(start, chunk), chunk).expect(202, { range });
        expect(reply.need('location')).not.toBe('');
      }
      const digest = digestOf(bytes, algorithm);
      const reply = await upload.put(digest).expect(201, { digest });
      expect(reply.need('location')).toContain(`/v2/${repository}/blobs/`);
      await expectPullable(digest, bytes);
    });

    must(`takes the final chunk in the closing PUT (${algorithm})`, async () => {
      const upload = await world.alice.startUpload(repository, `digest-algorithm=${algorithm}`);
      const size = await chunkLength();
      const bytes = someBytes(size + 77);
      const digest = digestOf(bytes, algorithm);
      const tail = bytes.subarray(size);
      await upload.patch(rangeOf(0, bytes.subarray(0, size)), bytes.subarray(0, size)).expect(202);
      await upload.put(digest, tail, { range: rangeOf(size, tail) }).expect(201);
      await expectPullable(digest, bytes);
    });
  }

  must('answers 416 to a first chunk that does not begin with 0', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('5-9', 'later').expect(416, { code: 'BLOB_UPLOAD_INVALID' });
    await upload.status().expect(204, { range: '0-0' });
  });

  must('answers 416 to a gap and to an overlap, and goes on from where it was', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    for (const range of ['6-10', '4-8', '0-4']) {
      await upload.patch(range, 'world').expect(416, { code: 'BLOB_UPLOAD_INVALID', range: '0-4' });
    }
    await upload.patch('5-9', 'world').expect(202, { range: '0-9' });
    await upload.put(digestOf('helloworld')).expect(201);
    await expectPullable(digestOf('helloworld'), Buffer.from('helloworld'));
  });

  must('answers 416 to a final chunk out of order in the closing PUT, and goes on', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    const digest = digestOf('hello there');
    await upload.put(digest, 'there', { range: '6-10' }).expect(416, { code: 'BLOB_UPLOAD_INVALID' });
    await upload.status().expect(204, { range: '0-4' });
    await upload.put(digest, ' there', { range: '5-10' }).expect(201);
  });

  must('answers the status of an active upload with 204, Location and Range', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    const reply = await upload.status().expect(204, { range: '0-4' });
    expect(reply.need('location')).toContain('/blobs/uploads/');
    expect(reply.body).toHaveLength(0);
  });

  ours('answers the status also at the address of the PUT, with its leftover digest', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    await world.alice.request('GET', `${upload.path}?digest=${digestOf('x')}`).expect(204, { range: '0-4' });
  });

  ours('says 0-0 while nothing has arrived', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.status().expect(204, { range: '0-0' });
  });

  must('refuses a Content-Range that is not <first>-<last>', async () => {
    for (const bad of ['bytes 0-4/5', '0-', '-4', 'a-b', '0-4,5-9', '4-0', '0x0-0x4']) {
      const upload = await world.alice.startUpload(repository);
      await upload.patch(bad, 'hello').expect(400, { code: 'BLOB_UPLOAD_INVALID' });
    }
  });

  should('announces a minimum chunk length only as a positive number of bytes', async () => {
    const announced = await announcedChunkLength();
    if (announced !== undefined) expect(announced).toMatch(/^[1-9]\d*$/);
  });

  ours('takes many chunks that are shorter than a part of the store', async () => {
    const upload = await world.alice.startUpload(repository);
    const bytes = someBytes(900);
    for (let start = 0; start < bytes.length; start += 90) {
      const chunk = bytes.subarray(start, start + 90);
      await upload.patch(rangeOf(start, chunk), chunk).expect(202);
    }
    await upload.put(digestOf(bytes)).expect(201);
    await expectPullable(digestOf(bytes), bytes);
  });

  ours(
    'joins chunks of several MiB',
    async () => {
      const upload = await world.alice.startUpload(repository);
      const bytes = someBytes(20 * 2 ** 20 + 3);
      const size = 6 * 2 ** 20;
      for (let start = 0; start < bytes.length; start += size) {
        const chunk = bytes.subarray(start, start + size);
        await upload.patch(rangeOf(start, chunk), chunk).expect(202);
      }
      await upload.put(digestOf(bytes)).expect(201);
      await expectPullable(digestOf(bytes), bytes);
    },
    60_000,
  );

  const CHANGES_OF_MIND = [
    ['sha256', 'sha512'],
    ['sha512', 'sha256'],
  ] as const;
  for (const [announced, named] of CHANGES_OF_MIND) {
    ours(`lets the closing PUT name ${named} though ${announced} was announced`, async () => {
      const upload = await world.alice.startUpload(repository, `digest-algorithm=${announced}`);
      await upload.patch('0-4', 'hello').expect(202);
      const digest = digestOf('hello', named);
      await upload.put(digest).expect(201, { digest });
      await expectPullable(digest, Buffer.from('hello'));
    });
  }

  should('answers 400 when the POST announces an algorithm that it does not have', async () => {
    await world.alice
      .request('POST', `/v2/${repository}/blobs/uploads/?digest-algorithm=md5`)
      .expect(400, { code: 'DIGEST_INVALID' });
  });

  for (const algorithm of ALGORITHMS) {
    should(`answers 400 to a closing PUT whose digest is not that of the chunks (${algorithm})`, async () => {
      const upload = await world.alice.startUpload(repository);
      await upload.patch('0-4', 'hello').expect(202);
      await upload.put(digestOf('other', algorithm)).expect(400, { code: 'DIGEST_INVALID' });
      await world.alice.headBlob(repository, digestOf('other', algorithm)).expect(404);
    });
  }
});

describe('Pushing a blob in a stream: PATCH without Content-Range', () => {
  for (const algorithm of ALGORITHMS) {
    ours(`stores what docker sends: one PATCH of unknown length, then an empty PUT (${algorithm})`, async () => {
      const bytes = someBytes(300_000);
      const digest = digestOf(bytes, algorithm);
      const upload = await world.alice.startUpload(repository);
      const parts = [bytes.subarray(0, 100_000), bytes.subarray(100_000)];
      await upload.patch(null, Readable.from(parts)).expect(202, { range: '0-299999' });
      await upload.put(digest).expect(201, { digest });
      await expectPullable(digest, bytes);
    });
  }

  ours('appends a second stream to the first', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch(null, 'first ').expect(202);
    await upload.patch(null, 'second').expect(202, { range: '0-11' });
    await upload.put(digestOf('first second')).expect(201);
    await expectPullable(digestOf('first second'), Buffer.from('first second'));
  });

  ours('appends the body of the closing PUT to a stream', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch(null, 'first ').expect(202);
    await upload.put(digestOf('first last'), 'last').expect(201);
    await expectPullable(digestOf('first last'), Buffer.from('first last'));
  });

  ours('goes on after an empty PATCH', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch(null, '').expect(202, { range: '0-0' });
    await upload.patch(null, 'x').expect(202, { range: '0-0' });
    await upload.put(digestOf('x')).expect(201);
    await expectPullable(digestOf('x'), Buffer.from('x'));
  });

  should('answers 400 when the stream does not have the digest named', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch(null, 'hello').expect(202);
    await upload.put(digestOf('bye')).expect(400, { code: 'DIGEST_INVALID' });
  });
});
