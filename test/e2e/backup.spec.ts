// needs: postgresql
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { blocksRunBy, commandsIn } from '../docs/commands.js';
import { freshDatabase } from '../support/postgres.js';
import { needProgram, run, scratchDirectory } from '../support/processes.js';
import { newSetting, startRegistry } from '../support/registry.js';

/** A busy machine has time to start a node. */
const startTimeoutMs = 120_000;
const SPEC = 'test/e2e/backup.spec.ts';

it('what docs/upgrading.md backs up and restores is the registry as it was', async () => {
  const [original, restored] = [await freshDatabase('debian'), await freshDatabase('debian')];
  const directory = scratchDirectory('backup');
  const first = await startRegistry({ database: original, store: 'filesystem', startTimeoutMs });
  const { digest } = await first.client.pushImage('admin/app', 'kept');

  // pg_dump of the same version as the server, which is what a restore needs.
  const PATH = `${path.dirname(needProgram('initdb'))}:${process.env['PATH'] ?? ''}`;
  const [backup = '', restore = ''] = blocksRunBy(SPEC, 'docs/upgrading.md').map(({ text }) => text);
  const ofPostgres = (text: string) => commandsIn(text).filter((command) => command.startsWith('pg_'));
  expect([backup, restore].map((text) => ofPostgres(text).length)).toEqual([1, 1]);
  const execute = (text: string, url: string) =>
    run('bash', ['-c', ofPostgres(text).join('\n')], { cwd: directory, env: { PATH, DATABASE_URL: url } });

  await execute(backup, original.url);
  const setting = await newSetting({
    database: restored,
    store: 'filesystem',
    env: { JWT_SECRET: first.env['JWT_SECRET'] ?? '' },
  });
  mkdirSync(setting.dataDir, { recursive: true });
  cpSync(first.dataDir, setting.dataDir, { recursive: true });
  await first.client.pushImage('admin/app', 'too-late');
  await execute(restore, restored.url);

  const second = await startRegistry({ like: setting, startTimeoutMs, env: { ADMIN_PASSWORD: first.password } });
  const client = second.client.as('admin', first.password);
  await client.getManifest('admin/app', 'kept').expect(200, { digest });
  await client.getManifest('admin/app', 'too-late').expect(404);
  client.close();
}, 300_000);
