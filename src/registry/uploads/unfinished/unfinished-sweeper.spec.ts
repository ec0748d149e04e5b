import { beforeAll, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../../test/support/content-services.js';
import { loadConfig } from '../../../config/load-config.js';
import { Repo } from '../../repos/repo.entity.js';
import { ReposRepository } from '../../repos/repos.repository.js';
import { RepoChangesService } from '../../repos/repo-changes.service.js';
import { Upload } from '../upload.entity.js';
import type { UploadStore } from '../upload-store.service.js';
import { UnfinishedRepositoriesRepository } from './unfinished.repository.js';
import { UnfinishedSweeper } from './unfinished-sweeper.service.js';

describe('the sweep of unfinished repositories', () => {
  let services: ContentServices;

  beforeAll(async () => {
    services = await contentServices();
  }, 60_000);

  interface Node {
    readonly env?: Record<string, string>;
    readonly hasDraftIn?: UploadStore['hasDraftIn'];
    readonly removing?: (id: number) => Promise<void>;
  }

  function node({ env = {}, hasDraftIn = () => false, removing }: Node = {}): UnfinishedSweeper {
    const { unitOfWork, drops, events } = services;
    const rows = new ReposRepository(services.repository(Repo));
    const changes = new RepoChangesService(rows, events, drops, unitOfWork);
    const config = loadConfig(env, null, () => '0'.repeat(32));
    const looks = new UnfinishedRepositoriesRepository(services.repository(Upload));
    const remove = changes.removeLocked.bind(changes);
    if (removing)
      changes.removeLocked = async (tx, repository, actor) => {
        await removing(repository.id);
        return remove(tx, repository, actor);
      };
    return new UnfinishedSweeper(looks, { hasDraftIn } as unknown as UploadStore, changes, unitOfWork, config);
  }

  /** Repositories of this age in hours without a manifest; gives their ids. */
  async function begun(prefix: string, hours: number, number = 1): Promise<number[]> {
    const rows = await services.database.query<{ id: string }>(
      `INSERT INTO repos (namespace_id, name, path, visibility, created_at)
       SELECT n.id, $1 || i, 'acme/' || $1 || i, 'private', now() - make_interval(hours => $2)
       FROM namespaces n, generate_series(1, $3::int) i WHERE n.name = 'acme' RETURNING id`,
      [prefix, hours, number],
    );
    return rows.map(({ id }) => Number(id));
  }

  const upload = (repoId: number): Promise<unknown> =>
    services.database.query(
      `INSERT INTO uploads (id, repo_id, principal, credential, expires_at)
       VALUES (gen_random_uuid(), $1, 'user:1', 'password', now() + interval '1 hour')`,
      [repoId],
    );
  const hold = (repoId: number, hours: number): Promise<unknown> =>
    services.database.query(
      `INSERT INTO repo_content (repo_id, digest, kind, present, created_at)
       VALUES ($1, '\\x00', 'manifest', false, now() - $2 * interval '1 hour')`,
      [repoId, hours],
    );
  async function left(prefix: string): Promise<number[]> {
    const rows = await services.database.query<{ id: string }>(
      `SELECT id FROM repos WHERE deleted_at IS NULL AND path LIKE 'acme/' || $1 || '%' ORDER BY id`,
      [prefix],
    );
    return rows.map(({ id }) => Number(id));
  }

  it('deletes those that have no upload and no recent content', async () => {
    const over = await begun('over-', 1);
    const [old = 0] = await begun('old-', 48);
    await hold(old, 47);
    const [uploading = 0] = await begun('uploading-', 48);
    await upload(uploading);
    const [holding = 0] = await begun('holding-', 48);
    await hold(holding, 1);
    const young = await begun('young-', 0);
    const finished = await services.newRepository('finished');
    await services.database.query(`UPDATE repos SET created_at = now() - interval '2 days' WHERE id = $1`, [
      finished.id,
    ]);
    await node().sweep();
    expect([await left('over-'), await left('old-')]).toEqual([[], []]);
    expect(await left('uploading-')).toEqual([uploading]);
    expect(await left('holding-')).toEqual([holding]);
    expect(await left('young-')).toEqual(young);
    expect(await left('finished')).toEqual([finished.id]);
    expect(
      await services.database.query(
        `SELECT a.actor, a.action FROM audit_events a JOIN repos r ON a.resource = 'repo:' || r.path WHERE r.id = ANY ($1)`,
        [over],
      ),
    ).toEqual([{ actor: 'system:sweep', action: 'repo.delete' }]);
  });

  it('spares one that a push is at work in, whichever of the two is first', async () => {
    const [held = 0] = await begun('held-', 48);
    const sweeper = node();
    await services.unitOfWork.run(async (tx) => {
      // As the foreign key of an upload's row does.
      await tx.query('SELECT id FROM repos WHERE id = $1 FOR KEY SHARE', [held]);
      await sweeper.sweep();
      expect(await left('held-')).toEqual([held]);
      await tx.query(
        `INSERT INTO uploads (id, repo_id, principal, credential, expires_at)
         VALUES (gen_random_uuid(), $1, 'user:1', 'password', now() + interval '1 hour')`,
        [held],
      );
    });
    await sweeper.sweep();
    expect(await left('held-')).toEqual([held]);
  });

  it('spares one whose upload is only in memory', async () => {
    const [drafted = 0] = await begun('drafted-', 48);
    await node({ hasDraftIn: (id) => id === drafted }).sweep();
    expect(await left('drafted-')).toEqual([drafted]);
  });

  it('spares one whose blobs wait for their manifest, however soon uploads expire', async () => {
    const [waiting = 0] = await begun('waiting-', 48);
    await hold(waiting, 0.5);
    await node({ env: { UPLOAD_EXPIRY_SECONDS: '60' } }).sweep();
    expect(await left('waiting-')).toEqual([waiting]);
  });

  it('goes on behind one that cannot be deleted', async () => {
    const [stuck = 0] = await begun('a-stuck-', 48);
    await begun('b-over-', 48, 2);
    const removing = (id: number): Promise<void> =>
      id === stuck ? Promise.reject(new Error('stuck')) : Promise.resolve();
    await expect(node({ removing }).sweep()).rejects.toThrow('stuck');
    expect([await left('a-stuck-'), await left('b-over-')]).toEqual([[stuck], []]);
    await node().sweep();
    expect(await left('a-stuck-')).toEqual([]);
  });

  it('gets through any number of them, also when several nodes are at it', async () => {
    const busy = await begun('busy-', 48, 1200);
    for (const id of busy.slice(0, 600)) await upload(id);
    await Promise.all([node().sweep(), node().sweep()]);
    expect(await left('busy-')).toEqual(busy.slice(0, 600));
  }, 30_000);
});
