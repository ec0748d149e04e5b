// needs: skopeo docker-registry
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeImage } from '../clients/oci-layout.js';
import { uniqueName } from '../conformance/documents.js';
import { digestOf } from '../support/content.js';
import {
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  end,
  ready,
  run,
  scratchDirectory,
  start,
} from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { aerugo, type CliOptions } from './cli.js';
import { type Pushed, waysOf } from './pushed.js';

/** Debian's docker-registry: no login, its own defaults. */
async function startDockerRegistry(): Promise<string> {
  const directory = scratchDirectory('docker-registry');
  const port = await freePort();
  const [config, log] = [path.join(directory, 'config.yml'), path.join(directory, 'log')];
  const storage = `storage: { filesystem: { rootdirectory: ${directory}/data } }`;
  writeFileSync(config, `version: 0.1\n${storage}\nhttp: { addr: "127.0.0.1:${port}" }\n`);
  writeFileSync(log, '');
  const child = start(needProgram('docker-registry'), ['serve', config], { stdio: 'ignore' });
  onFileEnd(() => end(child));
  await ready(child, log, () => isListening(port));
  return `127.0.0.1:${port}`;
}

/** As `docker save` wrote it before layouts: the second layer is a link to the first. */
async function writeSaved(format: string, spoil = false): Promise<{ archive: string; digests: string[] }> {
  const directory = scratchDirectory('saved');
  const layer = Buffer.alloc(10_240, spoil ? 1 : 0);
  const diffId = digestOf(Buffer.alloc(10_240));
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { diff_ids: [diffId, diffId] } });
  // Longer than the header's own field for names.
  const long = path.join('c'.repeat(120), 'config.json');
  const [one, two] = ['a'.repeat(64), 'b'.repeat(64)];
  for (const name of [one, two, path.dirname(long)]) mkdirSync(path.join(directory, name));
  writeFileSync(path.join(directory, one, 'layer.tar'), layer);
  symlinkSync(`../${one}/layer.tar`, path.join(directory, two, 'layer.tar'));
  writeFileSync(path.join(directory, long), config);
  const image = { Config: long, RepoTags: ['a:1'], Layers: [`${one}/layer.tar`, `${two}/layer.tar`] };
  const other = { ...image, RepoTags: ['b:1'], Layers: [`${one}/layer.tar`] };
  writeFileSync(path.join(directory, 'manifest.json'), JSON.stringify([image, other]));
  const archive = path.join(scratchDirectory('archive'), 'saved.tar');
  await run('tar', [`--format=${format}`, '-cf', archive, '-C', directory, '.']);
  return { archive, digests: [digestOf(config), diffId] };
}

describe('aerugo push to another registry', () => {
  let host: string;
  beforeAll(async () => {
    host = await startDockerRegistry();
  }, 60_000);

  const push = (...args: string[]) => aerugo(['push', ...args]);
  const newTarget = (): string => `${host}/${uniqueName('push')}`;
  const pull = async (target: string, tag: string): Promise<string> =>
    (await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${target}:${tag}`])).stdout;

  it('falls back to the standard upload, and skopeo pulls the same image', async () => {
    const layout = scratchDirectory('layout');
    const { digest } = writeImage(layout, 'v1', [1_000, 12 << 20]);
    const target = newTarget();
    const { code, stdout, stderr } = await push(layout, `${target}:v1`);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining(`pushed ${target}:v1 ${digest} (3 blobs, 3 sent`),
    });
    expect(stderr.match(/sent through the registry/g)).toHaveLength(3);
    expect(digestOf(await pull(target, 'v1'))).toBe(digest);
    const copy = scratchDirectory('copy');
    await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${target}:v1`, `oci:${copy}:v1`]);
  }, 60_000);

  it('makes the same manifest of an archive of docker each time, which skopeo pulls', async () => {
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000, 50_000]);
    const archive = path.join(scratchDirectory('archive'), 'image.tar');
    await run('skopeo', ['copy', `oci:${layout}:v1`, `docker-archive:${archive}:made/by:skopeo`]);
    const target = newTarget();
    const pushed = [await push(archive, `${target}:1`, '--json'), await push(archive, `${target}:2`, '--json')];
    const [first, second] = pushed.map(({ stdout }) => JSON.parse(stdout) as Pushed);
    expect(second).toMatchObject({
      digest: first?.digest,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    });
    expect(digestOf(await pull(target, '1'))).toBe(first?.digest);
    const copy = scratchDirectory('copy');
    await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${target}:1`, `oci:${copy}:v1`]);
  }, 60_000);

  it.each(['gnu', 'pax'])('reads linked layers and long names of an archive in the %s format', async (format) => {
    const { archive, digests } = await writeSaved(format);
    const { code, stdout } = await push(archive, `${newTarget()}:1`, '--json', '--image', 'a:1');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Pushed).blobs.map(({ digest }) => digest).sort()).toEqual(digests.sort());
  });

  it('says what is wrong with what it is given, and pushes nothing', async () => {
    const { archive } = await writeSaved('gnu');
    const spoilt = await writeSaved('gnu', true);
    const cut = path.join(scratchDirectory('archive'), 'cut.tar');
    const whole = readFileSync(archive);
    writeFileSync(cut, whole.subarray(0, whole.indexOf('{"architecture"') + 10));
    const text = path.join(scratchDirectory('archive'), 'text.tar');
    writeFileSync(text, 'no archive '.repeat(100));
    await run('gzip', ['--keep', archive]);
    const target = `${newTarget()}:1`;
    const wrong = [
      [[archive, target], 2, 'name one with --image: it has a:1, b:1'],
      [[archive, target, '--image', 'c:1'], 2, 'there is no image c:1'],
      [[archive, target, '--image', 'b:1'], 1, 'names 2 layers'],
      [[spoilt.archive, target, '--image', 'a:1'], 1, 'others than its name says'],
      [[cut, target], 1, 'cut off'],
      [[text, target], 1, 'not a tar archive'],
      [[`${archive}.gz`, target], 1, 'decompress it first'],
      [[scratchDirectory('empty'), target], 1, 'has neither index.json'],
      [[path.join(scratchDirectory('empty'), 'nothing'), target], 1, 'ENOENT'],
      [[archive, 'acme/app:1'], 2, 'it must begin with the registry'],
      [[archive, `${host}/Acme:1`], 2, 'no valid name'],
      [[archive, target, '--username', 'me'], 2, 'go together'],
      [[archive], 2, 'missing required argument'],
    ] as const;
    for (const [args, code, reason] of wrong) {
      expect(await push(...args)).toMatchObject({ code, stderr: expect.stringContaining(reason) });
    }
    await expect(pull(target.replace(/:1$/, ''), '1')).rejects.toThrow('manifest unknown');
  }, 60_000);
});

describe('a directory that somebody else has made', () => {
  const secret = { auths: { 'registry.example': { auth: 'aHVudGVyMjpodW50ZXIy' } } };

  async function pushed(config: string, linked = false): Promise<{ code: number | null; stderr: string }> {
    const home = scratchDirectory('home');
    writeFileSync(path.join(home, 'config.json'), JSON.stringify(secret));
    const source = path.join(home, 'image');
    mkdirSync(source);
    if (linked) symlinkSync('../config.json', path.join(source, config));
    writeFileSync(path.join(source, 'manifest.json'), JSON.stringify([{ Config: config, RepoTags: [], Layers: [] }]));
    // Nobody listens there: what is read would be pushed.
    return aerugo(['push', source, '127.0.0.1:1/acme/app:1']);
  }

  it.each([
    ['a name that leads out of it', '../config.json', false],
    ['a link that leads out of it', 'config.json', true],
  ])('is refused for %s', async (_, config, linked) => {
    expect(await pushed(config, linked)).toMatchObject({ code: 1, stderr: expect.stringContaining('leads out of') });
  });

  it('gives the terminal no orders', async () => {
    const { stderr } = await pushed('\u001b]0;mine\u0007');
    expect(stderr).toContain('\uFFFD]0;mine\uFFFD is not in the archive');
    expect(stderr).not.toMatch(/[\u0007\u001b]/);
  });
});

describe('the login of aerugo push', () => {
  let registry: Registry;
  let host: string;
  let layout: string;
  beforeAll(async () => {
    registry = await startRegistry({ store: 'filesystem' });
    host = new URL(registry.url).host;
    layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
  }, 60_000);

  const push = (options: CliOptions, ...args: string[]) =>
    aerugo(['push', layout, `${host}/${registry.username}/${uniqueName('login')}:1`, '--json', ...args], options);

  it('is what docker keeps in its file', async () => {
    const config = scratchDirectory('docker-config');
    const auth = Buffer.from(`${registry.username}:${registry.password}`).toString('base64');
    writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
    const { code, stdout } = await push({ env: { DOCKER_CONFIG: config } });
    expect({ code, ways: waysOf(JSON.parse(stdout) as Pushed) }).toEqual({
      code: 0,
      ways: ['sent through the registry'],
    });
  });

  it('is what a credential helper gives', async () => {
    const config = scratchDirectory('docker-config');
    const secret = JSON.stringify({ ServerURL: host, Username: registry.username, Secret: registry.password });
    const helper = path.join(config, 'docker-credential-kept');
    writeFileSync(helper, `#!/bin/sh\nread -r host\n[ "$1 $host" = "get ${host}" ] && echo '${secret}'\n`);
    chmodSync(helper, 0o755);
    writeFileSync(path.join(config, 'config.json'), JSON.stringify({ credHelpers: { [host]: 'kept' } }));
    const env = { DOCKER_CONFIG: config, PATH: `${config}:${process.env['PATH'] ?? ''}` };
    expect((await push({ env })).code).toBe(0);
  });

  it('is the identity token that `docker login` gets from this registry, in its file or from a helper', async () => {
    // As the docker client asks for it.
    const form = { grant_type: 'password', service: host, client_id: 'docker', access_type: 'offline' };
    const answer = await fetch(`${registry.url}/api/v1/auth/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, username: registry.username, password: registry.password }),
    });
    const { refresh_token: identitytoken } = (await answer.json()) as { refresh_token: string };
    const config = scratchDirectory('docker-config');
    const keep = (content: object) => {
      writeFileSync(path.join(config, 'config.json'), JSON.stringify(content));
    };
    const auth = Buffer.from(`${registry.username}:`).toString('base64');
    keep({ auths: { [host]: { auth, identitytoken } } });
    expect(await push({ env: { DOCKER_CONFIG: config } })).toMatchObject({ code: 0 });

    const secret = JSON.stringify({ ServerURL: host, Username: '<token>', Secret: identitytoken });
    const helper = path.join(config, 'docker-credential-kept');
    writeFileSync(helper, `#!/bin/sh\necho '${secret}'\n`);
    chmodSync(helper, 0o755);
    keep({ credHelpers: { [host]: 'kept' } });
    const env = { DOCKER_CONFIG: config, PATH: `${config}:${process.env['PATH'] ?? ''}` };
    expect(await push({ env })).toMatchObject({ code: 0 });

    keep({ auths: { [host]: { auth, identitytoken: `${identitytoken}x` } } });
    const refused = await push({ env: { DOCKER_CONFIG: config } });
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toContain('refuses the login');
    expect(refused.stderr).not.toContain(identitytoken);
  });

  it('is refused with 3 when there is none, or a wrong one, and is not shown', async () => {
    const none = await push({});
    expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('log in first') });
    const wrong = await push({ input: 'hunter2-hunter2' }, '--username', registry.username, '--password-stdin');
    expect(wrong).toMatchObject({ code: 3, stdout: '' });
    expect(wrong.stderr).toContain('refuses the login');
    expect(wrong.stderr).not.toContain('hunter2');
  });
});
