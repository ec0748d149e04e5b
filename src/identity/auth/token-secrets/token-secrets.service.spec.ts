import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type ContentServices, contentServices } from '../../../../test/support/content-services.js';
import type { AppConfig } from '../../../config/config.js';
import { TokenSecret } from './token-secret.entity.js';
import { TokenSecretsRepository } from './token-secrets.repository.js';
import { TokenSecretsService } from './token-secrets.service.js';

const [OURS, THEIRS] = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'];
const FIRST_WORKER = { id: 1, isFirst: true };

let services: ContentServices;
let lines: unknown[];

beforeEach(async () => {
  services = await contentServices();
  lines = [];
  for (const level of ['warn', 'log'] as const)
    jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void lines.push(line));
}, 60_000);

function node(jwtSecret: string, worker: object | null = null, embedded = false): TokenSecretsService {
  const config = { security: { jwtSecret }, database: { embedded }, server: { worker } } as unknown as AppConfig;
  return new TokenSecretsService(new TokenSecretsRepository(services.repository(TokenSecret)), config);
}

/** What was said since the last question. */
function said(): unknown[] {
  return lines.splice(0).map((line) => (line as { event?: string }).event ?? (line as { message: string }).message);
}

const rows = async (): Promise<number> => (await services.database.query('SELECT FROM token_secrets')).length;

describe('the secrets of live nodes', () => {
  it('that are the same are no line, however many nodes compare theirs at once', async () => {
    const nodes = Array.from({ length: 8 }, () => node(OURS));
    for (let round = 0; round < 3; round++) await Promise.all(nodes.map((each) => each.compare()));
    expect([said(), await rows()]).toEqual([[], 1]);
  });

  it('that differ are a warning of each node, each time, until the others have ended', async () => {
    const [first, second] = [node(OURS), node(THEIRS)];
    await first.compare();
    await second.compare();
    await second.compare();
    expect(said()).toEqual(['secrets.differ', 'secrets.differ']);
    await first.compare();
    expect(lines).toMatchObject([{ own: '560d', others: [expect.stringMatching(/^[0-9a-f]{4}$/)] }]);
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${OURS}|${THEIRS}`));
    expect(said()).toEqual(['secrets.differ']);
    await services.database.query(
      `UPDATE token_secrets SET seen_at = now() - interval '151 seconds' WHERE fingerprint <> $1`,
      [0x560d],
    );
    for (let round = 0; round < 3; round++) await first.compare();
    expect([said(), await rows()]).toEqual([['secrets.agree'], 1]);
  });

  it('are compared again after both nodes were away, though each takes the other’s row for old', async () => {
    const nodes = [node(OURS), node(THEIRS)];
    for (const each of nodes) await each.compare();
    said();
    for (let round = 0; round < 10; round++) {
      await services.database.query(`UPDATE token_secrets SET seen_at = now() - interval '1 hour'`);
      await Promise.all(nodes.map((each) => each.compare()));
      expect(await rows()).toBeGreaterThan(0);
    }
    said();
    for (const each of [...nodes, ...nodes]) await each.compare();
    expect(said().slice(-2)).toEqual(['secrets.differ', 'secrets.differ']);
    expect(await rows()).toBe(2);
  });

  it('are one line when they cannot be compared, until they were once', async () => {
    const own = node(OURS);
    await services.database.query('ALTER TABLE token_secrets RENAME TO gone');
    for (let round = 0; round < 3; round++) await own.compare();
    expect(said()).toEqual(['JWT_SECRET is compared with that of other nodes later']);
    await services.database.query('ALTER TABLE gone RENAME TO token_secrets');
    await own.compare();
    await node(THEIRS).compare();
    await own.compare();
    expect(said()).toEqual(['secrets.differ', 'secrets.differ']);
  });

  it.each([
    ['a process of its own', null, false, 1],
    ['the first worker', FIRST_WORKER, false, 1],
    ['the worker that took its place', { id: 1, isFirst: false }, false, 1],
    ['another worker', { id: 2, isFirst: false }, false, 0],
    ['a node with the embedded database', null, true, 0],
  ])('%s reports as often as it should', (_who, worker, embedded, expected) => {
    const compare = jest.spyOn(TokenSecretsService.prototype, 'compare').mockResolvedValue();
    const own = node(OURS, worker, embedded);
    own.onApplicationBootstrap();
    void own.beforeApplicationShutdown();
    expect(compare).toHaveBeenCalledTimes(expected);
    compare.mockRestore();
  });
});
