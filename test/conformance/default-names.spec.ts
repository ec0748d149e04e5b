import { describe, expect } from '@jest/globals';
import { pushedImage } from './documents.js';
import { ours } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld({ DEFAULT_NAMESPACE: 'alice', DEFAULT_VISIBILITY: 'public' });

describe('<name>: a namespace for names that have none (DEFAULT_NAMESPACE)', () => {
  ours('takes a name of one component for one in the default namespace, both ways', async () => {
    const image = await pushedImage(world.alice, 'short', 'v1');
    await world.alice.getManifest('short', 'v1').expect(200, { digest: image.digest });
    await world.alice.getManifest('alice/short', 'v1').expect(200, { digest: image.digest });
    const { repositories } = (await world.alice.catalog().expect(200)).json<{ repositories: string[] }>();
    expect(repositories).toEqual(['alice/short']);
  });

  ours('gives nobody rights there that they did not have', async () => {
    const reply = await world.bob.request('POST', '/v2/taken/blobs/uploads/');
    expect([401, 403, 404]).toContain(reply.status);
  });
});

describe('Visibility of a repository that a push creates (DEFAULT_VISIBILITY)', () => {
  ours('is public where the registry says so', async () => {
    const repository = world.newRepository();
    await pushedImage(world.alice, repository, 'v1');
    await world.anonymous.raw('GET', `/v2/${repository}/manifests/v1`).expect(200);
    await world.bob.getManifest(repository, 'v1').expect(200);
  });
});
