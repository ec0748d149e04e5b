// once: no store takes part in it
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { SECRET_NAMES } from '../../src/config/secret-files.js';
import { aerugo } from '../cli/cli.js';
import { scratchDirectory } from '../support/processes.js';
import { newSetting, startRegistry } from '../support/registry.js';
import { startToEnd } from './start-to-end.js';

jest.setTimeout(120_000);

/** The same settings with each secret in a file, as Docker and Kubernetes mount them. */
function inFiles(env: Readonly<Record<string, string>>): { env: Record<string, string>; secrets: string[] } {
  const directory = scratchDirectory('secrets');
  const moved = Object.entries(env).filter(([name]) => SECRET_NAMES.some((secret) => secret === name));
  const files = moved.map(([name, value]) => {
    const file = path.join(directory, name.toLowerCase());
    writeFileSync(file, `${value}\n`);
    chmodSync(file, 0o400);
    return [`${name}_FILE`, file] as const;
  });
  const emptied = moved.map(([name]) => [name, ''] as const);
  // Where a server asks for no password, its address is no secret.
  const secrets = moved.map(([, value]) => value).filter((value) => !/^[a-z]+:/.test(value) || value.includes('@'));
  return { env: { ...env, ...Object.fromEntries([...emptied, ...files]) }, secrets };
}

it.each(['1', '2'])('a node of %s workers runs with every secret in a file, and shows none', async (workers) => {
  const setting = await newSetting({ env: { WORKERS: workers } });
  const { env, secrets } = inFiles(setting.env);
  expect(secrets.length).toBeGreaterThan(2);
  const registry = await startRegistry({ like: { ...setting, env } });
  const { digest } = await registry.client.pushImage('admin/app', 'v1');
  await registry.client.getManifest('admin/app', 'v1').expect(200, { digest });

  const { stdout, code } = await aerugo(['config'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^JWT_SECRET +\*{8} +JWT_SECRET_FILE \(\/.*jwt_secret\)$/m);
  await registry.stop();
  const shown = registry.logs() + stdout;
  expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
});

it('a start without one of its files says which, in one line', async () => {
  const missing = path.join(scratchDirectory('secrets'), 'jwt');
  const { code, stderr } = await startToEnd({ DATABASE_URL: 'postgresql://u@127.0.0.1:1/a', JWT_SECRET_FILE: missing })
    .ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `Aerugo cannot start: the configuration is wrong:\n  - JWT_SECRET_FILE: ${missing} cannot be read (ENOENT)\n`,
  });
});
