// needs: actionlint
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { run } from './support/processes.js';

const GITHUB = fileURLToPath(new URL('../.github', import.meta.url));
const WORKFLOWS = path.join(GITHUB, 'workflows');
const files = readdirSync(WORKFLOWS);
const read = (file: string) => readFileSync(path.join(WORKFLOWS, file), 'utf8');

describe('the workflows of GitHub', () => {
  it('are what actionlint accepts', async () => {
    const { stdout } = await run(
      'actionlint',
      files.map((file) => path.join(WORKFLOWS, file)),
      { anyCode: true },
    );
    expect(stdout).toBe('');
  });

  it.each(files)('%s pins each action to one version, and may by default only read', (file) => {
    const text = read(file);
    const used = [...text.matchAll(/\buses: (\S+)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !/^\.\/|@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/.test(name))).toEqual([]);
    expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! )/m);
  });

  it('never hand a text that anybody can write to a shell', () => {
    const scripts = files.flatMap((file) =>
      [...read(file).matchAll(/\brun: (\|\n(?: {10,}.*\n|\n)*|.*)/g)].map(([text]) => text),
    );
    expect(scripts.filter((text) => text.includes('${{'))).toEqual([]);
  });

  it('look for secrets with the program that the tests have', () => {
    const installed = readFileSync(path.join(GITHUB, '../.ci/install.d/30-go.sh'), 'utf8');
    const [, module = '', version = ''] = /"gitleaks +(\S+) +- +(v[\d.]+)"/.exec(installed) ?? [];
    expect(read('security.yml')).toContain(`go install ${module}@${version}\n`);
  });
});

describe('what looks after dependencies', () => {
  interface Update {
    'package-ecosystem': string;
    directory?: string;
    directories?: string[];
  }
  const { updates } = load(readFileSync(path.join(GITHUB, 'dependabot.yml'), 'utf8')) as { updates: Update[] };
  const places = (ecosystem: string) =>
    updates
      .filter((update) => update['package-ecosystem'] === ecosystem)
      .flatMap(({ directory = [], directories = [] }) => [directory, directories].flat());

  it.each(['npm', 'docker', 'docker-compose', 'github-actions'])('has %s', (ecosystem) => {
    expect(places(ecosystem)).toEqual(['/']);
  });

  it('has every Go module', () => {
    const modules = readdirSync(path.join(GITHUB, '../test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => path.basename(file) === 'go.mod')
      .map((file) => `/test/${path.dirname(file)}`);
    expect(places('gomod').sort()).toEqual(modules.sort());
  });
});
