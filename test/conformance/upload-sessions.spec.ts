import { beforeAll, describe, expect } from '@jest/globals';
import { digestOf } from '../support/content.js';
import { someBytes } from './documents.js';
import { ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(() => {
  repository = world.newRepository();
});

describe('Cancel a blob upload (end-14)', () => {
  should('answers the DELETE of an upload with 204', async () => {
    const upload = await world.alice.startUpload(repository);
    const reply = await upload.cancel().expect(204);
    expect(reply.body).toHaveLength(0);
  });

  ours('forgets a cancelled upload: every later request gets 404', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    await upload.cancel().expect(204);
    const unknown = { code: 'BLOB_UPLOAD_UNKNOWN' };
    await upload.patch('5-9', 'world').expect(404, unknown);
    await upload.patch(null, 'world').expect(404, unknown);
    await upload.put(digestOf('hello')).expect(404, unknown);
    await upload.status().expect(404, unknown);
    await upload.cancel().expect(404, unknown);
    await world.alice.headBlob(repository, digestOf('hello')).expect(404);
  });
});

describe('Pushing a blob in chunks: the session (end-5, end-6, end-13)', () => {
  const madeUp = (id: string): string => `/v2/${repository}/blobs/uploads/${id}`;

  for (const id of ['00000000-0000-4000-8000-000000000000', 'not-a-uuid', '%00', 'a'.repeat(300)]) {
    ours(`answers 404 to an upload id that it never gave (${id.slice(0, 40)})`, async () => {
      const upload = world.alice.uploadAt(repository, madeUp(id));
      const unknown = { code: 'BLOB_UPLOAD_UNKNOWN' };
      await upload.status().expect(404, unknown);
      await upload.patch('0-0', 'x').expect(404, unknown);
      await upload.put(digestOf('x'), 'x').expect(404, unknown);
      await upload.cancel().expect(404, unknown);
    });
  }

  ours('answers 404 when the id belongs to another repository', async () => {
    const { id } = await world.alice.startUpload(repository);
    const other = world.newRepository();
    await world.alice.pushBlob(other, someBytes());
    const moved = world.alice.uploadAt(other, `/v2/${other}/blobs/uploads/${id}`);
    await moved.patch('0-4', 'hello').expect(404, { code: 'BLOB_UPLOAD_UNKNOWN' });
    await moved.status().expect(404, { code: 'BLOB_UPLOAD_UNKNOWN' });
  });

  ours('answers 404 to whoever did not open the upload, even where they may push', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    // The administrator may push here; the session is still alice's.
    const foreign = world.admin.uploadAt(repository, upload.location);
    await foreign.patch('5-9', 'world').expect(404, { code: 'BLOB_UPLOAD_UNKNOWN' });
    await foreign.put(digestOf('hello')).expect(404, { code: 'BLOB_UPLOAD_UNKNOWN' });
    await upload.status().expect(204, { range: '0-4' });
  });

  ours('answers a finished upload with 201 to a repeated PUT, and 404 to more bytes', async () => {
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    const digest = digestOf('hello');
    await upload.put(digest).expect(201, { digest });
    await upload.put(digest).expect(201, { digest });
    await upload.patch('5-9', 'world').expect(404, { code: 'BLOB_UPLOAD_UNKNOWN' });
    await upload.put(digestOf('other')).expect([400, 404]);
  });

  ours('keeps uploads of one repository apart', async () => {
    const [one, two] = await Promise.all([world.alice.startUpload(repository), world.alice.startUpload(repository)]);
    await Promise.all([one.patch('0-2', 'one').expect(202), two.patch('0-2', 'two').expect(202)]);
    await Promise.all([one.put(digestOf('one')).expect(201), two.put(digestOf('two')).expect(201)]);
    expect((await world.alice.pullBlob(repository, digestOf('two'))).toString()).toBe('two');
  });
});
