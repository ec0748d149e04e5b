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

  it.each(files)('%s pins each action to a commit, says its version, and may by default only read', (file) => {
    const text = read(file);
    const used = [...text.matchAll(/\buses: (.*)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !/^\.\/|^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(name))).toEqual([]);
    expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! )/m);
  });

  it('use one commit of each action', () => {
    const used = files.flatMap((file) => [...read(file).matchAll(/\buses: ([\w-]+\/[\w-]+)\S*@(.*)/g)]);
    const commits = new Map<string, Set<string>>();
    for (const [, action = '', commit = ''] of used) {
      commits.set(action, (commits.get(action) ?? new Set()).add(commit));
    }
    expect([...commits].filter(([, { size }]) => size !== 1)).toEqual([]);
  });

  it.each(files)('%s pins by digest each image that runs or builds', (file) => {
    const text = read(file);
    const named = text.matchAll(/\b(?:image: |sbom: generator=|driver-opts: image=)([\w./-]+:\S+)/g);
    const images = [...named].map(([, image = '']) => image);
    expect(images.filter((image) => !/:[\w.-]+@sha256:[0-9a-f]{64}$/.test(image))).toEqual([]);
    // What the set-up actions would otherwise pull by a tag that moves.
    const steps = text.split(/^ {6}- /m);
    const without = ['docker/setup-qemu-action', 'docker/setup-buildx-action', 'docker/build-push-action'].filter(
      (action) => steps.some((step) => step.includes(`uses: ${action}@`) && !step.includes('@sha256:')),
    );
    expect(without).toEqual([]);
  });

  it('sign releases as the page says that they are to be verified', () => {
    const page = readFileSync(path.join(GITHUB, '../docs/DEPLOYMENT.md'), 'utf8');
    const [, signer = '', ref = ''] = /certificate-identity \S+\/\.github\/workflows\/([\w.]+)@(\S+)/.exec(page) ?? [];
    expect(ref).toMatch(/^refs\/tags\/v\d/);
    expect(read(signer)).toMatch(/^on:\n {2}push:\n {4}tags:/m);
    expect(read(signer).match(/\bcosign sign --yes "\$\S+@\$DIGEST"/g)).toHaveLength(2);
  });

  it('never hand a text that anybody can write to a shell', () => {
    const scripts = files.flatMap((file) =>
      [...read(file).matchAll(/\brun: (\|\n(?: {10,}.*\n|\n)*|.*)/g)].map(([text]) => text),
    );
    expect(scripts.filter((text) => text.includes('${{'))).toEqual([]);
  });

  it('install Go programs that the tests have, in their versions', () => {
    const installed = readFileSync(path.join(GITHUB, '../.ci/install.d/30-go.sh'), 'utf8');
    const rows = [...installed.matchAll(/^ {2}"\S+ +(\S+) +(\S+) +(v\S+)"$/gm)];
    const known = rows.map(
      ([, module, directory = '', version]) => `${module}${directory.replace('-', '')}@${version}`,
    );
    const used = files.flatMap((file) => [...read(file).matchAll(/\bgo install (\S+)/g)].map(([, name = '']) => name));
    expect(used.map((name) => name.split('/').at(-1)?.split('@')[0]).sort()).toEqual(['helm', 'v8']);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
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

  it.each(['npm', 'docker-compose', 'github-actions'])('has %s', (ecosystem) => {
    expect(places(ecosystem)).toEqual(['/']);
  });

  it('has the images of the Dockerfile and of the chart', () => {
    expect(places('docker')).toEqual(['/', '/helm/aerugo']);
  });

  it('has the Python programs of the tests', () => {
    expect(places('pip')).toEqual(['/.ci/python']);
  });

  it('has every Go module', () => {
    const modules = readdirSync(path.join(GITHUB, '../test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => path.basename(file) === 'go.mod')
      .map((file) => `/test/${path.dirname(file)}`);
    expect(places('gomod').sort()).toEqual(modules.sort());
  });
});

describe('what CI installs', () => {
  const CI = path.join(GITHUB, '../.ci');
  const inCi = (ending: string): string[] =>
    readdirSync(CI, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));
  const text = (file: string): string => readFileSync(path.join(CI, file), 'utf8');

  it('has from PyPI nothing without a hash', () => {
    const commands = inCi('.sh').flatMap((file) => text(file).match(/^.*\bpip" install\b.*$/gm) ?? []);
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((command) => !command.includes('--require-hashes'))).toEqual([]);
    const packages = inCi('.txt').flatMap((file) => text(file).split(/^(?=[a-z])/m));
    expect(packages.length).toBeGreaterThan(30);
    expect(packages.filter((one) => !/^[\w.-]+==[\w.]+ \\\n {4}--hash=sha256:[0-9a-f]{64}\b/.test(one))).toEqual([]);
    // The file that is installed has what was asked for, and comes from no other place than pip's own.
    for (const file of inCi('.in')) expect(text(file.replace(/in$/, 'txt'))).toContain(text(file).trim());
    expect(inCi('.txt').filter((file) => /^--/m.test(text(file)))).toEqual([]);
  });

  it('has from Go nothing without an exact version, which the checksum database knows', () => {
    const rows = text('install.d/30-go.sh').match(/^ {2}"\w.*"$/gm) ?? [];
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter((row) => !/ v\d+\.\d+\.\d+(-[\w.-]+)?"$/.test(row))).toEqual([]);
    expect(inCi('.sh').filter((file) => /GONOSUM|GOSUMDB|GOPRIVATE|GOINSECURE/.test(text(file)))).toEqual([]);
  });
});
