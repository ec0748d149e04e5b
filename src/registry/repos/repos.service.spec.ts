import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { UNLIMITED } from '../../access/credential-limits.js';
import { Caller } from '../../access/caller.js';
import { NODE_SHARE } from '../../fairness/share.js';
import { listReply } from '../../http/paging/list-reply.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { OciError } from '../../oci/oci-error.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { type ContentServices, contentServices } from '../../../test/support/content-services.js';
import { RepoAlias } from './moves/repo-alias.entity.js';
import { Repo } from './repo.entity.js';
import { ReposRepository } from './repos.repository.js';
import { ReposService } from './repos.service.js';
import { RepoChangesService } from './repo-changes.service.js';
import { RepoMovesRepository } from './moves/repo-moves.repository.js';
import { RepoMovesService } from './moves/repo-moves.service.js';
import { VisibleReposRepository } from './visible-repos.repository.js';

const ACTOR = { principal: 'user:1', credential: 'password', address: null };
const ROOT = new Caller(
  { kind: 'user', id: 1, username: 'root', admin: true, namespaceId: 0, memberships: [], teams: [] },
  { label: 'password', expiresAt: null, limits: UNLIMITED, scopes: null },
  null,
);

let services: ContentServices;
let repositories: ReposService;
let changes: RepoChangesService;
let moves: RepoMovesService;

beforeAll(async () => {
  services = await contentServices();
  const { unitOfWork, drops, events, facts } = services;
  const rows = new ReposRepository(services.repository(Repo));
  const paths = new RepoMovesRepository(services.repository(RepoAlias));
  const visible = new VisibleReposRepository(services.repository(Repo));
  changes = new RepoChangesService(rows, events, drops, unitOfWork);
  moves = new RepoMovesService(rows, paths, events, unitOfWork);
  repositories = new ReposService(rows, visible, changes, facts, drops, unitOfWork);
}, 60_000);

let count = 0;
let repository: RepositoryFact;
let target: RepositoryName;

beforeEach(async () => {
  repository = await services.newRepository(`app-${++count}`);
  target = `acme/renamed-${count}` as RepositoryName;
});

const rename = (to = target): Promise<void> => moves.rename(repository, to, ROOT);

describe('a former path', () => {
  it('leads to the repository, however often it moves on', async () => {
    await rename();
    expect(await repositories.find(repository.path)).toMatchObject({ id: repository.id, path: target });
    const next = `${target}-again` as RepositoryName;
    await moves.rename({ ...repository, path: target }, next, ROOT);
    for (const path of [repository.path, target, next]) {
      expect(await repositories.find(path)).toMatchObject({ id: repository.id, path: next });
    }
  });

  it('whose facts send each other round, as a move leaves them for a moment, leads where the database says', async () => {
    const { path } = repository;
    await rename();
    // Both were read a moment ago, at different times, and nobody has dropped them yet.
    await repositories.find(path);
    const wrong = {
      subject: `repo:${target}`,
      name: 'repository',
      load: () => Promise.resolve({ movedTo: path }),
    } as const;
    await services.facts.drop([`repo:${target}`]);
    await services.facts.read(wrong);
    await services.database.query('DELETE FROM repo_aliases WHERE path = $1', [path]);
    await services.database.query('UPDATE repos SET path = $1 WHERE id = $2', [path, repository.id]);
    expect(await repositories.find(path)).toMatchObject({ id: repository.id, path });
    await services.facts.drop([`repo:${target}`, `repo:${path}`]);
  });

  it('leads nowhere once the namespace that it is in is deleted', async () => {
    const { query } = services.database;
    const left = `left-${count}/app` as RepositoryName;
    await query(`INSERT INTO namespaces (name, kind) VALUES ($1, 'user')`, [`left-${count}`]);
    await query('INSERT INTO repo_aliases (path, repo_id) VALUES ($1, $2)', [left, repository.id]);
    expect(await repositories.find(left)).toMatchObject({ id: repository.id });
    await services.facts.drop([`repo:${left}`]);
    await query('UPDATE namespaces SET deleted_at = now() WHERE name = $1', [`left-${count}`]);
    expect(await repositories.find(left)).toBeNull();
  });

  it('takes no first push, also when the rename was not known yet', async () => {
    expect(await repositories.find(target)).toBeNull();
    await services.database.query('INSERT INTO repo_aliases (path, repo_id) VALUES ($1, $2)', [target, repository.id]);
    const refused = await repositories
      .ensure({ name: target, repository: null }, 'private', ACTOR)
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OciError);
    expect(refused).toMatchObject({ condition: 'denied' });
  });
});

describe('a list of repositories', () => {
  it('has the description of each that it shows, also of long ones that make it end early', async () => {
    const description = '語'.repeat(10_000);
    for (let at = 10; at < 60; at++) {
      const { id } = await services.newRepository(`long-${at}`);
      await services.database.query('UPDATE repos SET description = $1 WHERE id = $2', [description, id]);
    }
    const page = { limit: 51, after: null };
    const rows = await repositories.list(ROOT, null, { after: '', limit: page.limit, containing: 'long-' });
    const request = { originalUrl: '/api/v1/repositories', context: { share: NODE_SHARE } } as unknown as Request;
    const response = Object.assign(new EventEmitter(), { req: request, setHeader: () => undefined });
    const shape = { show: (row: (typeof rows)[number]) => row.description, position: () => ['x'] };
    const { items, next } = listReply(rows, page, shape, { request, response: response as unknown as Response });
    response.emit('close');
    expect(next).not.toBeNull();
    expect(items.length).toBeGreaterThan(30);
    expect(items.filter((text) => text !== description)).toEqual([]);
  });
});

describe('a change that meets a rename', () => {
  /** Begins `change` while the rename is not committed yet, and reads what is at the new path as soon as it is. */
  async function during<T>(change: () => Promise<T>): Promise<PromiseSettledResult<T>[]> {
    let changed: Promise<T> | undefined;
    await services.unitOfWork.run(async (tx) => {
      await tx.query('SELECT FROM repos WHERE id = $1 FOR UPDATE', [repository.id]);
      changed = change();
      changed.catch(() => undefined);
      await sleep(200);
      await tx.query('UPDATE repos SET path = $2, updated_at = now() WHERE id = $1', [repository.id, target]);
      await services.drops.afterCommit(tx, [`repo:${repository.path}`, `repo:${target}`]);
    });
    return Promise.allSettled([changed as Promise<T>]);
  }

  it.each([
    ['of the settings', null],
    ['of the settings that were read', new Date(0)],
  ])('%s is refused, and changes nothing', async (_which, since) => {
    const [refused] = await during(() => changes.update(repository, { visibility: 'public' }, since, ACTOR));
    expect(refused).toMatchObject({ status: 'rejected', reason: { condition: 'conflict' } });
    expect(await repositories.find(target)).toMatchObject({ id: repository.id, visibility: 'private' });
    const entries = await services.database.query(
      `SELECT FROM audit_events WHERE resource = $1 AND action = 'repo.update'`,
      [`repo:${repository.path}`],
    );
    expect(entries).toEqual([]);
  });

  it('of being listed drops what is known of the new path', async () => {
    await services.database.query('UPDATE repos SET listed_at = NULL WHERE id = $1', [repository.id]);
    const unlisted = { ...repository, listed: false };
    const [listed] = await during(() =>
      services.unitOfWork.run(async (tx) => {
        await repositories.markListed(tx, unlisted);
        // Somebody reads the new path before this is committed.
        expect(await repositories.find(target)).toMatchObject({ listed: false });
      }),
    );
    expect(listed).toMatchObject({ status: 'fulfilled' });
    expect(await repositories.find(target)).toMatchObject({ id: repository.id, listed: true });
  });
});

describe('a first push', () => {
  it('of many at once makes one repository, and one entry of it', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, () => repositories.ensure({ name: target, repository: null }, 'private', ACTOR)),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const entries = await services.database.query('SELECT FROM audit_events WHERE resource = $1', [`repo:${target}`]);
    expect(entries).toHaveLength(1);
  });

  it('waits for whoever deletes the namespace, and then finds none', async () => {
    await services.database.query(`INSERT INTO namespaces (name, kind) VALUES ('leaving', 'org')`);
    let made: Promise<unknown> | undefined;
    await services.unitOfWork.run(async (tx) => {
      await tx.query(`UPDATE namespaces SET deleted_at = now() WHERE name = 'leaving'`);
      made = repositories.ensure({ name: 'leaving/app' as RepositoryName, repository: null }, 'private', ACTOR);
      made.catch(() => undefined);
      await sleep(200);
    });
    await expect(made).rejects.toMatchObject({ condition: 'nameUnknown' });
  });
});
