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

it('the other scripts say how they are used', async () => {
  const { stderr } = await run('bash', [path.join(SCRIPTS, 'build.sh'), '?'], { anyCode: true });
  expect(stderr).toContain('usage: scripts/build.sh [here | image [TAG]]');
});
