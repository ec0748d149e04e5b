import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { digestOf } from '../support/content.js';
import type { Dockerd } from '../support/dockerd.js';
import { eventually, needProgram, scratchDirectory, start } from '../support/processes.js';
import type { PushedImage, RegistryClient } from '../support/registry-client.js';

export const MEBIBYTE = 1 << 20;

/** `docker build` of an image that no other test has, from nothing, with one layer a size. Gives its id. */
export async function buildImage({ docker }: Dockerd, reference: string, layerSizes: number[]): Promise<string> {
  const context = scratchDirectory('context');
  const names = layerSizes.map((size, at) => {
    writeFileSync(path.join(context, `file-${at}`), randomBytes(size));
    return `file-${at}`;
  });
  const lines = ['FROM scratch', ...names.map((name) => `COPY ${name} /${name}`), ''];
  writeFileSync(path.join(context, 'Dockerfile'), lines.join('\n'));
  await docker(['build', '--quiet', '--tag', reference, context]);
  return imageId({ docker }, reference);
}

export async function imageId({ docker }: Pick<Dockerd, 'docker'>, reference: string): Promise<string> {
  return (await docker(['image', 'inspect', '--format', '{{.Id}}', reference])).stdout.trim();
}

/**
 * `docker push`, interrupted: when the registry's process has read `bytes` more, `interrupt` runs, and then the docker
 * client is ended, because left alone it would try again until the registry is back.
 */
export async function interruptedPush(
  dockerd: Dockerd,
  reference: string,
  { pid, bytes, interrupt }: { pid: number; bytes: number; interrupt: () => Promise<void> },
): Promise<void> {
  const before = bytesRead(pid);
  const push = start(needProgram('docker'), ['push', reference], { env: dockerd.env, stdio: 'ignore' });
  const ended = once(push, 'exit');
  const isFar = () => bytesRead(pid) - before > bytes;
  await eventually('the registry is in the middle of a push', () => isFar() || push.exitCode !== null, 120_000, 5);
  if (push.exitCode !== null) throw new Error('the push had ended before it could be interrupted');
  await interrupt();
  push.kill('SIGTERM');
  await ended;
}

/** Pushes small images until the registry is gone; gives those whose every request it had acknowledged. */
export async function pushWhileItLasts(client: RegistryClient, repository: string): Promise<PushedImage[]> {
  const acknowledged: PushedImage[] = [];
  for (;;) {
    try {
      acknowledged.push(await client.pushImage(repository, `n${acknowledged.length}`));
    } catch (error) {
      // An error of the connection; an answer that is not as expected has no code, and is a failure.
      if (typeof error === 'object' && error !== null && 'code' in error) return acknowledged;
      throw error;
    }
  }
}

/** Throws unless every image is there under its tag, byte for byte. */
export async function expectAll(client: RegistryClient, repository: string, images: PushedImage[]): Promise<void> {
  for (const [at, { digest, config, layers }] of images.entries()) {
    const manifest = await client.getManifest(repository, `n${at}`).expect(200, { digest });
    if (digestOf(manifest.body) !== digest) throw new Error(`the manifest n${at} is not what was pushed`);
    for (const blob of [config, ...layers]) {
      const actual = digestOf(await client.pullBlob(repository, blob.digest));
      if (actual !== blob.digest) throw new Error(`a blob of n${at} has the digest ${actual}, not ${blob.digest}`);
    }
  }
}

/** What the process has read so far, from sockets too. */
function bytesRead(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}
