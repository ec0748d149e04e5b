import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dockerd } from '../support/dockerd.js';
import { run, scratchDirectory } from '../support/processes.js';
import { importBaseImage } from './base-image.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Layer {
  readonly bytes: number;
  readonly createdBy: string;
}

/** What `docker inspect` says of an image, as far as the tests ask. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** The name that the Dockerfile gives its base, without the digest. */
export function baseName(): string {
  return /^FROM (\S+)@sha256:[0-9a-f]{64} AS base$/m.exec(readDockerfile())?.[1] ?? '';
}

function readDockerfile(): string {
  return readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
}

/** The packages come from where npm of this machine gets them. */
export async function packageSource(): Promise<string> {
  return (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
}

/** Builds the project's own Dockerfile, on a base that is made of this machine's files. */
export async function buildRegistryImage(dockerd: Dockerd, tag: string): Promise<void> {
  await importBaseImage(dockerd, baseName());
  // No image can be imported under a digest, so the one line that names the base names it by its tag alone.
  const file = path.join(scratchDirectory('dockerfile'), 'Dockerfile');
  writeFileSync(file, readDockerfile().replace(/^(FROM \S+)@sha256:\S+ AS base$/m, '$1 AS base'));
  const options = ['--file', file, '--build-arg', `NPM_CONFIG_REGISTRY=${await packageSource()}`, '--tag', tag];
  await dockerd.docker(['build', '--network=host', '--force-rm', ...options, ROOT]);
}

/** The layers that the Dockerfile adds to its base, the last one first. */
export async function ownLayers({ docker }: Dockerd, tag: string): Promise<Layer[]> {
  const { stdout } = await docker(['history', '--no-trunc', '--human=false', '--format', '{{json .}}', tag]);
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { Size: string; CreatedBy: string });
  // The base was imported, so it is one layer, the oldest.
  return all.slice(0, -1).map(({ Size, CreatedBy }) => ({ bytes: Number(Size), createdBy: CreatedBy }));
}

export async function inspect({ docker }: Dockerd, tag: string): Promise<ImageConfig> {
  const { stdout } = await docker(['image', 'inspect', '--format', '{{json .Config}}', tag]);
  return JSON.parse(stdout) as ImageConfig;
}

/** The directory of the registry in the image, unpacked here. */
export async function unpackRegistry({ docker }: Dockerd, tag: string): Promise<string> {
  const directory = scratchDirectory('unpacked');
  const id = (await docker(['create', tag])).stdout.trim();
  mkdirSync(directory, { recursive: true });
  await docker(['cp', `${id}:/app`, directory]);
  await docker(['rm', id]);
  return path.join(directory, 'app');
}
