import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../../test/support/content-services.js';
import { digestOf } from '../../../../test/support/content.js';
import { eventually } from '../../../../test/support/processes.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { digestToBytes } from '../../../oci/digest-bytes.js';
import { parseDigest, type Digest } from '../../../oci/digest.js';
import type { ImageConfig } from '../../../oci/image-config.js';
import { MEDIA_TYPES } from '../../../oci/media-type.js';
import type { ImageConfigs } from './image-configs.service.js';
import { ImagePlatforms } from './image-platforms.js';
import { ManifestUsesRepository } from '../manifest-uses.repository.js';

const CONFIG: ImageConfig = {
  os: 'linux',
  architecture: 'arm64',
  variant: 'v8',
  created: null,
  author: null,
  labels: {},
};
const DESCRIPTOR = { digest: parseDigest(digestOf('config')), mediaType: MEDIA_TYPES.ociConfig, size: 10 };

let services: ContentServices;
let platforms: ImagePlatforms;
let count = 0;

beforeAll(async () => {
  services = await contentServices();
}, 60_000);

afterEach(() => platforms.onApplicationShutdown());

function reading(read: (signal: AbortSignal) => Promise<ImageConfig | null>): ImagePlatforms {
  const configs = {
    read: (...[, , signal]: Parameters<ImageConfigs['read']>) => read(signal),
  } as unknown as ImageConfigs;
  return new ImagePlatforms(configs, services.unitOfWork, new ManifestUsesRepository());
}

async function image(platformsNow: string[] | null = null): Promise<{ repository: RepositoryFact; digest: Digest }> {
  const repository = await services.newRepository(`app${++count}`);
  const digest = parseDigest(digestOf('image'));
  await services.dataSource.query(
    `INSERT INTO manifests (repo_id, digest, media_type, size, bytes, content_size, platforms, pushed_by, pushed_at)
     VALUES ($1, $2, 'application/json', 1, '', 0, $3, 'user:1', now())`,
    [repository.id, digestToBytes(digest), platformsNow],
  );
  return { repository, digest };
}

const written = async ({ id }: RepositoryFact) => {
  const [row] = await services.database.query(
    'SELECT os, architecture, variant, platforms FROM manifests WHERE repo_id = $1',
    [id],
  );
  return row;
};

describe('the platform of an image', () => {
  it('is written some moments after its push', async () => {
    platforms = reading(() => Promise.resolve(CONFIG));
    const { repository, digest } = await image();
    platforms.expect(repository, digest, DESCRIPTOR, 'user:1');
    await eventually('it is written', async () => (await written(repository))?.['platforms'] !== null);
    expect(await written(repository)).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      platforms: ['linux/arm64/v8'],
    });
  });

  it('is written once: what is known stays', async () => {
    platforms = reading(() => Promise.resolve(null));
    const { repository, digest } = await image(['linux/amd64']);
    await platforms.save([{ repoId: repository.id, digest, config: CONFIG }]);
    expect(await written(repository)).toMatchObject({ os: null, platforms: ['linux/amd64'] });
  });

  it('is none where the config does not say', async () => {
    platforms = reading(() => Promise.resolve(null));
    const { repository, digest } = await image();
    await platforms.save([{ repoId: repository.id, digest, config: { ...CONFIG, os: null } }]);
    expect(await written(repository)).toMatchObject({ architecture: 'arm64', platforms: [] });
  });

  it('is not asked of configs of other types or above 1 MiB', async () => {
    let asked = 0;
    platforms = reading(() => {
      asked += 1;
      return Promise.resolve(CONFIG);
    });
    const { repository, digest } = await image();
    platforms.expect(repository, digest, null, 'user:1');
    platforms.expect(repository, digest, { ...DESCRIPTOR, mediaType: MEDIA_TYPES.ociEmpty }, 'user:1');
    platforms.expect(repository, digest, { ...DESCRIPTOR, size: 1024 * 1024 + 1 }, 'user:1');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(asked).toBe(0);
  });

  it('is read in turn: behind a thousand pushes of somebody else’s namespace it is among the first', async () => {
    const asked: string[] = [];
    const configs = {
      read: ({ path }: RepositoryFact) => {
        asked.push(path);
        return Promise.resolve(null);
      },
    } as unknown as ImageConfigs;
    platforms = new ImagePlatforms(configs, services.unitOfWork, new ManifestUsesRepository());
    const { digest } = await image();
    const repositoryAt = (path: string) => ({ path }) as unknown as RepositoryFact;
    for (let at = 0; at < 1_100; at += 1) platforms.expect(repositoryAt('flood/app'), digest, DESCRIPTOR, 'user:1');
    platforms.expect(repositoryAt('quiet/app'), digest, DESCRIPTOR, 'user:2');
    await eventually('a batch is read', () => Promise.resolve(asked.length > 0));
    expect(asked.slice(0, 2)).toEqual(['flood/app', 'quiet/app']);
  });

  it('keeps nobody from stopping: a read in progress is cut off, and the rest is left', async () => {
    let asked = 0;
    platforms = reading((signal) => {
      asked += 1;
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve(null);
        });
      });
    });
    const { repository, digest } = await image();
    for (let at = 0; at < 5; at += 1) platforms.expect(repository, digest, DESCRIPTOR, 'user:1');
    await eventually('the first is being read', () => Promise.resolve(asked === 1));
    await platforms.onApplicationShutdown();
    expect(asked).toBe(1);
  });
});
