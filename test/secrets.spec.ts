// needs: gitleaks
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Finished, run, scratchDirectory } from './support/processes.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const scan = (directory: string): Promise<Finished> =>
  run('bash', [path.join(directory, 'scripts/security.sh'), 'secrets'], { anyCode: true });

it('no file and no commit has a secret', async () => {
  const { code, stdout, stderr } = await scan(ROOT);
  expect([code, stdout + stderr]).toEqual([0, 'security: no secret in the files, and none in the history\n']);
}, 120_000);

describe('in a repository with the same rules', () => {
  let directory: string;
  // Put together here, or this file would have one.
  const token = ['ghp', '7Qz2mXv9Lk4Rt8Wn3Yb6Hc1Pd5Sf0Gj2Ka9Ex'].join('_').slice(0, 40);
  const [, sample = ''] =
    /'''\^([0-9a-f]{32})\$'''/.exec(readFileSync(path.join(ROOT, '.gitleaks.toml'), 'utf8')) ?? [];

  const git = (...args: string[]): Promise<Finished> =>
    run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: directory });
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), text);
  };

  beforeEach(async () => {
    directory = scratchDirectory('secrets');
    for (const file of ['scripts/security.sh', '.gitleaks.toml', '.gitignore']) {
      cpSync(path.join(ROOT, file), path.join(directory, file));
    }
    await git('init', '--quiet');
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'first');
    expect(await scan(directory)).toMatchObject({ code: 0 });
  });

  it('one is found before it is committed, and not shown', async () => {
    write('docs/notes.md', `Use ${token}\n`);
    const { code, stdout } = await scan(directory);
    expect(code).toBe(1);
    expect(stdout).toContain('docs/notes.md');
    expect(stdout).not.toContain(token);
  });

  it('one is found after it was taken out again', async () => {
    write('docs/notes.md', `Use ${token}\n`);
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'second');
    rmSync(path.join(directory, 'docs'), { recursive: true });
    await git('commit', '--quiet', '--all', '--message', 'third');
    expect(await scan(directory)).toMatchObject({ code: 1 });
  });

  it('what git ignores is nobody else’s', async () => {
    write('.env', `TOKEN=${token}\n`);
    expect(await scan(directory)).toMatchObject({ code: 0 });
  });

  it('an example is allowed where it is one, and nowhere else', async () => {
    const line = `const JWT_SECRET = '${sample}';\n`;
    expect(sample).toHaveLength(32);
    write('src/config/some.spec.ts', line);
    expect(await scan(directory)).toMatchObject({ code: 0 });
    write('src/config/some.ts', line);
    expect(await scan(directory)).toMatchObject({ code: 1 });
  });
});
