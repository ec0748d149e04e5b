// needs: docker-compose
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnvFile } from '../../src/config/env-file.js';
import { loadConfig } from '../../src/config/load-config.js';
import { SETTING_NAMES } from '../../src/config/settings.js';
import { run, scratchDirectory } from '../support/processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = ['docker-compose.yml', 'docker-compose.dev.yml'];
const NODES = ['node-1', 'node-2', 'node-3'];
const SECRET = /PASSWORD|SECRET|STORE_USER/;

interface Service {
  image: string;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: unknown;
  ports?: { host_ip?: string }[];
  stop_grace_period?: string;
  read_only?: boolean;
  cap_drop?: string[];
}

/** The file as Compose reads it, with the variables of an `.env`. */
async function composed(file: string, envFile: string): Promise<Record<string, Service>> {
  const args = ['--env-file', envFile, '--file', path.resolve(ROOT, file), 'config', '--format', 'json'];
  const { stdout } = await run('docker-compose', args);
  return (JSON.parse(stdout) as { services: Record<string, Service> }).services;
}

describe('compose-setup.sh', () => {
  const directory = scratchDirectory('setup');
  const env = { ...process.env, ENV_FILE: path.join(directory, 'env'), TLS_DIRECTORY: path.join(directory, 'tls') };
  const setUp = (...args: string[]) =>
    run('sh', [path.join(ROOT, 'scripts/compose-setup.sh'), ...args], { env, anyCode: true });

  it('leaves what is there as it is, and says so where that is for another host', async () => {
    expect(await setUp('one.example')).toMatchObject({ code: 0, stderr: '' });
    const made = readFileSync(env.ENV_FILE, 'utf8');
    for (const again of [[], ['one.example']]) expect(await setUp(...again)).toMatchObject({ code: 0, stderr: '' });
    expect((await setUp('two.example')).stderr).toContain('REGISTRY_HOST in it is "one.example"');
    expect(readFileSync(env.ENV_FILE, 'utf8')).toBe(made);
  });

  it('takes no option for a host', async () => {
    const { code, stderr } = await setUp('--help');
    expect(code).toBe(2);
    expect(stderr).toContain('usage: ');
  });
});

describe('the Compose files', () => {
  let envFile: string;
  let secrets: string[];
  let stack: Record<string, Service>;

  beforeAll(async () => {
    const directory = scratchDirectory('compose');
    envFile = path.join(directory, 'env');
    const env = { ...process.env, ENV_FILE: envFile, TLS_DIRECTORY: path.join(directory, 'tls') };
    await run('sh', [path.join(ROOT, 'scripts/compose-setup.sh'), 'registry.example.com'], { env });
    secrets = [...readFileSync(envFile, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].flatMap(([, name = '', value = '']) =>
      SECRET.test(name) ? [value] : [],
    );
    stack = await composed('docker-compose.yml', envFile);
  });

  it('are what Compose accepts, with images by version and digest, but for the one that is built', async () => {
    const all = await Promise.all(FILES.map((file) => composed(file, envFile)));
    const images = all.flatMap((services) => Object.values(services).map(({ image }) => image));
    const pinned = /:v?\d+(?:\.\d+)+(?:-\w+)?@sha256:[0-9a-f]{64}$/;
    expect(new Set(images.filter((image) => !pinned.test(image)))).toEqual(new Set(['aerugo:0.1.0']));
  });

  it.each(FILES)('%s has no password of its own: without .env it says what to do', async (file) => {
    const args = ['--env-file', '/dev/null', '--file', path.join(ROOT, file), 'config', '--quiet'];
    const refused = await run('docker-compose', args, { anyCode: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/run scripts\/compose-setup\.sh first/);
  });

  it('get secrets that are long, different from each other and readable by their owner alone', () => {
    expect(secrets).toHaveLength(6);
    expect(new Set(secrets).size).toBe(6);
    expect(Math.min(...secrets.map((secret) => secret.length))).toBeGreaterThanOrEqual(20);
    expect(statSync(envFile).mode & 0o077).toBe(0);
  });

  it('share .env with npm start, which reads it too and stumbles over nothing in it', () => {
    const variables = parseEnvFile(readFileSync(envFile, 'utf8'));
    expect(loadConfig(variables, null, () => 'not made').isProduction).toBe(false);
  });

  it('give the nodes settings and nothing else, and these make a configuration', () => {
    for (const name of NODES) {
      const { environment = {} } = stack[name] ?? {};
      const isSetting = (variable: string): boolean => (SETTING_NAMES as readonly string[]).includes(variable);
      expect(Object.keys(environment).filter((variable) => !isSetting(variable))).toEqual([]);
      const config = loadConfig(environment, null, () => 'not made');
      expect(config.isProduction).toBe(true);
      expect(config.server.publicUrl).toBe('https://registry.example.com:8443');
      expect(config.storage.s3).not.toBeNull();
    }
  });

  it('give the nodes the time to end that their settings give to requests', () => {
    for (const name of NODES) {
      const { environment = {}, stop_grace_period: period = '' } = stack[name] ?? {};
      const { shutdownDelaySeconds, shutdownGraceSeconds } = loadConfig(environment, null, () => 'not made').server;
      expect(shutdownDelaySeconds).toBeGreaterThan(0);
      const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(period) ?? [];
      const needed = shutdownDelaySeconds + shutdownGraceSeconds + 10;
      expect(60 * Number(minutes) + Number(seconds)).toBeGreaterThan(needed);
    }
  });

  it('read a # in a value as npm start does, and as a shell does', async () => {
    const directory = scratchDirectory('hashes');
    const lines = [
      'PLAIN=ab#cd',
      'FIRST=#cd',
      'SPACE=ab # comment',
      'BOTH=ab#cd # comment "quoted" # twice',
      'URL=postgresql://u:p@h/d#x',
      'LAST=ab#',
      'DOUBLE="ab #cd"',
      "SINGLE='ab #cd' # comment",
    ];
    const text = `${lines.join('\n')}\n`;
    writeFileSync(path.join(directory, '.env'), text);
    writeFileSync(path.join(directory, 'compose.yml'), 'services: { a: { image: a, env_file: .env } }\n');
    const compose = await composed(path.join(directory, 'compose.yml'), '/dev/null');
    const parsed = parseEnvFile(text);
    expect(compose['a']?.environment).toEqual(parsed);
    const shell = await run('sh', ['-c', 'set -a; . ./.env; env'], {
      cwd: directory,
      env: { PATH: process.env['PATH'] },
    });
    expect(parseEnvFile(shell.stdout.replaceAll(/=(.*)$/gm, "='$1'"))).toMatchObject(parsed);
  });

  it('start a part when those that it needs are healthy, and nodes when the schema is up to date', () => {
    const waits = Object.values(stack).flatMap(({ depends_on = {} }) => Object.entries(depends_on));
    const other = waits.filter(([, { condition }]) => condition !== 'service_healthy');
    expect(other).toEqual(
      NODES.map(() => ['migrate', expect.objectContaining({ condition: 'service_completed_successfully' })]),
    );
    // The nodes' own check is in the image.
    const checked = Object.keys(stack).filter((name) => stack[name]?.healthcheck !== undefined);
    expect(waits.map(([name]) => name).filter((name) => ![...checked, ...NODES, 'migrate'].includes(name))).toEqual([]);
    expect(Object.keys(stack['proxy']?.depends_on ?? {}).sort()).toEqual(NODES);
    for (const name of NODES) {
      expect(Object.keys(stack[name]?.depends_on ?? {})).toEqual(
        expect.arrayContaining(['postgres', 'redis', 'store']),
      );
    }
  });

  it('open the proxy alone to other machines, and run everything without rights', async () => {
    const open = Object.keys(stack).filter((name) => stack[name]?.ports !== undefined);
    expect(open).toEqual(['proxy']);
    for (const service of Object.values(stack)) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
    const services = await composed('docker-compose.dev.yml', envFile);
    const addresses = Object.values(services).flatMap(({ ports = [] }) => ports.map(({ host_ip }) => host_ip));
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.1']));
  });

  it('name the nodes that nginx passes requests to', () => {
    const upstream = readFileSync(path.join(ROOT, 'config/nginx/nodes.conf'), 'utf8');
    expect([...upstream.matchAll(/^ *server ([\w-]+):8080 /gm)].map(([, name]) => name)).toEqual(NODES);
  });
});
