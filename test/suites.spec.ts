import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { countResult, needsOf, planSuite, PROGRAMS, type Suite, SUITES } from './suites.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SUITE: Suite = { name: 'e2e', files: /^test\/e2e\//, env: {} };
const PUSH = { file: 'test/e2e/push.spec.ts', text: '' };
const CLIENT = { file: 'test/e2e/client.spec.ts', text: '// needs: skopeo oras\n' };

const planWith = (present: string[], suite = SUITE) =>
  planSuite(suite, [PUSH, CLIENT, { file: 'src/a.spec.ts', text: '' }], (program) => present.includes(program));

describe('the suites of npm test', () => {
  it('run what needs nothing, and name each spec file that a missing program leaves out', () => {
    expect(planWith(['skopeo'])).toMatchObject({
      run: [PUSH.file],
      leftOut: [{ name: `e2e: ${CLIENT.file}`, missing: ['oras'] }],
    });
    expect(planWith(['skopeo', 'oras'])).toMatchObject({ run: [PUSH.file, CLIENT.file], leftOut: [] });
  });

  it('are left out whole, in one line, when the setting itself needs a missing program', () => {
    const plan = planWith(['skopeo', 'oras'], { ...SUITE, needs: ['minio'] });
    expect(plan).toMatchObject({ run: [], leftOut: [{ name: 'e2e', missing: ['minio'] }] });
  });

  it('repeat a spec file only where it uses what the setting changes, and does not say that it runs once', () => {
    const specs = [
      { file: 'test/e2e/a.spec.ts', text: 'startRegistry()' },
      { file: 'test/e2e/b.spec.ts', text: '// once: no store takes part in it\nstartRegistry()' },
      PUSH,
    ];
    const has = (): boolean => true;
    expect(planSuite({ ...SUITE, using: 'startRegistry(' }, specs, has).run).toEqual(['test/e2e/a.spec.ts']);
    expect(planSuite(SUITE, specs, has).run).toHaveLength(3);
  });

  it('take what a spec file needs from the servers it imports, in the setting it runs in', () => {
    const text = "// needs: crane\nimport { freshBucket } from '../support/s3.js';";
    expect(needsOf(text)).toEqual(['crane', 'versitygw']);
    expect(needsOf(text, { TEST_S3: 'minio' })).toEqual(['crane', 'minio']);
    expect(needsOf("// needs: nginx\nimport { Cluster } from './cluster.js';")).toEqual([
      'nginx',
      'redis-server',
      'versitygw',
    ]);
  });

  it('have every spec file of the project in at least one of them', () => {
    const all = ['src', 'test'].flatMap((top) =>
      readdirSync(`${ROOT}${top}`, { recursive: true, encoding: 'utf8' }).map((file) => `${top}/${file}`),
    );
    const specs = all.filter((file) => file.endsWith('.spec.ts'));
    expect(specs.filter((file) => !SUITES.some((suite) => suite.files.test(file)))).toEqual([]);
  });

  it('need only programs that the table knows how to get', () => {
    const named = SUITES.flatMap((suite) => suite.needs ?? []);
    expect(named.filter((program) => !(program in PROGRAMS))).toEqual([]);
  });

  it('need only programs that CI installs', () => {
    const steps = readdirSync(`${ROOT}.ci/install.d`).map((step) =>
      readFileSync(`${ROOT}.ci/install.d/${step}`, 'utf8'),
    );
    const missing = Object.entries(PROGRAMS).filter(([name, { get }]) => {
      const installed = get.startsWith('apt-get') ? (get.split(' ').at(-1) ?? '') : name;
      return !steps.some((step) => step.includes(installed));
    });
    expect(missing).toEqual([]);
  });
});

describe('the totals of a jest run', () => {
  const none = {
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
  };

  it.each([
    ['a good run', { ...none, numPassedTests: 3, numPendingTests: 1 }, null, { passed: 3, failed: 0, skipped: 1 }],
    ['no result', null, 'jest ended with SIGSEGV', { passed: 0, failed: 1, skipped: 0 }],
    [
      'a crash after good tests',
      { ...none, numPassedTests: 3 },
      'jest ended with 1',
      { passed: 3, failed: 1, skipped: 0 },
    ],
    [
      'a spec file that does not load',
      { ...none, numRuntimeErrorTestSuites: 1 },
      'jest ended with 1',
      { passed: 0, failed: 1, skipped: 0 },
    ],
    ['no test at all', none, null, { passed: 0, failed: 1, skipped: 0 }],
  ])('count %s', (_name, result, ending, expected) => {
    expect(countResult(result, ending)).toEqual(expected);
  });

  it('allow an empty run when the caller asked for single tests', () => {
    expect(countResult(none, null, { isFiltered: true })).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});
