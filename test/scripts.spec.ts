// needs: helm
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { needProgram, run, scratchDirectory } from './support/processes.js';

const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));

describe('scripts/deploy.sh', () => {
  let chart: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    const directory = scratchDirectory('deploy');
    chart = path.join(directory, 'chart');
    mkdirSync(path.join(chart, 'templates'), { recursive: true });
    writeFileSync(
      path.join(chart, 'Chart.yaml'),
      'apiVersion: v2\nname: aerugo\nversion: 1.0.0\nicon: https://example.com/icon.png\n',
    );
    writeFileSync(path.join(chart, 'values.yaml'), 'nodes: 1\n');
    writeFileSync(
      path.join(chart, 'templates', 'map.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  nodes: "{{ .Values.nodes }}"\n',
    );
    // There is no cluster: what would be said to one goes to stderr.

    const stub = (name: string, text: string) => {
      writeFileSync(path.join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    };
    stub('kubectl', 'echo kind-test');
    stub('helm', `case $1 in upgrade) echo "$@" >&2 ;; *) exec ${needProgram('helm')} "$@" ;; esac`);
    env = { ...process.env, CHART: chart, PATH: `${directory}:${process.env['PATH'] ?? ''}` };
  });

  const deploy = (...args: string[]) => run('bash', [path.join(SCRIPTS, 'deploy.sh'), ...args], { env, anyCode: true });

  it('prints with --dry-run what it would apply, and asks no cluster', async () => {
    const { code, stdout } = await deploy('--dry-run', '--namespace', 'registry', '--', '--set', 'nodes=3');
    expect(code).toBe(0);
    expect(stdout).toContain('name: aerugo\n  namespace: registry\ndata:\n  nodes: "3"');
  });

  it('installs or updates, and goes back when the new nodes do not become ready', async () => {
    const { code, stderr } = await deploy('--release', 'mine', '--', '--values', path.join(chart, 'values.yaml'));
    expect(code).toBe(0);
    expect(stderr).toContain('mine to namespace aerugo of kind-test');
    expect(stderr).toMatch(/upgrade --install mine .* --namespace aerugo .*--atomic --wait .*--values/);
  });

  it.each([[['--namespace']], [['production']]])('refuses %j before it does anything', async (args) => {
    expect(await deploy(...args)).toMatchObject({ code: 2, stdout: '' });
  });

  it('knows the chart of the project', async () => {
    const { CHART: _, ...plain } = env;
    const values = path.join(SCRIPTS, '../helm/aerugo/ci/production-values.yaml');
    // A helm that was built from its Go module does not know of which Kubernetes it is.
    const options = ['--values', values, '--kube-version', '1.33.0'];
    const args = [path.join(SCRIPTS, 'deploy.sh'), '--dry-run', '--', ...options];
    const { stdout } = await run('bash', args, { env: plain });
    expect(stdout).toContain('kind: Deployment');
  });

  it('applies nothing that lint refuses', async () => {
    const { code, stderr } = await deploy('--', '--values', '/nonexistent.yaml');
    expect(code).not.toBe(0);
    expect(stderr).not.toContain('upgrade --install');
  });
});

describe('scripts/security.sh audit', () => {
  /** With an npm that ends so. */
  async function auditWith(npm: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const directory = scratchDirectory('audit');
    writeFileSync(path.join(directory, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
    const env = { ...process.env, PATH: `${directory}:${process.env['PATH'] ?? ''}` };
    return run('bash', [path.join(SCRIPTS, 'security.sh'), 'audit'], { env, anyCode: true });
  }

  it('asks for what runs in production, and fails for an advisory that is high or worse', async () => {
    const found = await auditWith(`echo "{ \\"auditReportVersion\\": 2, \\"asked\\": \\"$*\\" }"; exit 1`);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain('audit --omit=dev --audit-level=high --json');
    expect(found.stderr).toContain('high or worse');
  });

  it('says that there is none', async () => {
    const { code, stdout } = await auditWith(`echo '{ "auditReportVersion": 2 }'`);
    expect([code, stdout]).toEqual([0, expect.stringContaining('security: no package')]);
  });

  it.each([`echo '{ "message": "405 Method Not Allowed" }'; exit 1`, 'exit 1', `echo 'npm error' >&2; exit 1`])(
    'says in one line that it was left out where the registry does not answer: %s',
    async (npm) => {
      const { code, stdout } = await auditWith(npm);
      expect([code, stdout]).toEqual([0, 'security: left out: audit: the package registry answers no audit request\n']);
    },
  );
});

describe('scripts/build.sh', () => {
  it('builds what is out of date, which after a build is nothing', async () => {
    const { stdout } = await run('bash', [path.join(SCRIPTS, 'build.sh')]);
    expect(stdout).toBe('');
  });

  it('builds the image of this version and commit, with the builder that is named', async () => {
    const directory = scratchDirectory('builder');
    const builder = path.join(directory, 'builder');
    writeFileSync(builder, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    const env = { ...process.env, BUILDER: builder };
    const { stdout } = await run('bash', [path.join(SCRIPTS, 'build.sh'), 'image', 'aerugo:try'], { env });
    expect(stdout).toMatch(
      /^build --build-arg VERSION=\d+\.\d+\.\d+ --build-arg REVISION=[0-9a-f]{40} -t aerugo:try \.$/m,
    );
  });
});

describe('scripts/test.sh', () => {
  it('runs what npm test runs, and knows what has no name', async () => {
    const { code, stdout, stderr } = await run('bash', [path.join(SCRIPTS, 'test.sh'), 'no-such-suite'], {
      anyCode: true,
    });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('no spec file and no suite has no-such-suite');
  });
});

it.each([
  ['build.sh', 'usage: scripts/build.sh [here | image [TAG]]'],
  ['security.sh', 'usage: scripts/security.sh [audit | secrets]'],
])('%s says how it is used', async (script, usage) => {
  const { code, stderr } = await run('bash', [path.join(SCRIPTS, script), '?'], { anyCode: true });
  expect([code, stderr]).toEqual([2, expect.stringContaining(usage)]);
});
