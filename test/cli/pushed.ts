import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';
import type { Descriptor } from '../support/content.js';
import { digestOf } from '../support/content.js';
import type { RegistryClient } from '../support/registry-client.js';

export interface Pushed {
  digest: string;
  mediaType: string;
  blobs: { digest: string; size: number; way: string }[];
}

interface Document {
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
}

/** The ways that blobs went, each once. */
export function waysOf({ blobs }: Pushed): string[] {
  return [...new Set(blobs.map(({ way }) => way))];
}

/** Pulls what the reference names, and everything below it, and compares it with the layout bit by bit. */
export async function expectImage(client: RegistryClient, target: string, name: string, layout: string): Promise<void> {
  const repository = target.slice(target.indexOf('/') + 1);
  const local = (digest: string): Buffer => readFileSync(path.join(layout, 'blobs', 'sha256', digest.slice(7)));
  const bytes = (await client.getManifest(repository, name).expect(200)).body;
  expect(bytes.equals(local(digestOf(bytes)))).toBe(true);
  const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString()) as Document;
  for (const { digest } of manifests) await expectImage(client, target, digest, layout);
  for (const { digest } of [...(config ? [config] : []), ...layers]) {
    expect((await client.pullBlob(repository, digest)).equals(local(digest))).toBe(true);
  }
}
