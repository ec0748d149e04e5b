import { randomBytes, randomUUID } from 'node:crypto';
import {
  type Algorithm,
  describeBytes,
  type Descriptor,
  digestOf,
  IMAGE_CONFIG,
  IMAGE_INDEX,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
  uniqueConfig,
} from '../support/content.js';
import { type Exchange, type Headers, type Reply, send } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';

/** Bytes with their type and digest: what a manifest push sends and a pull must give back. */
export interface Document {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Bytes that nobody pushed before, so that no test finds another one's blob. */
export function someBytes(size = 512): Buffer {
  return randomBytes(size);
}

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

export function describeDocument(document: Document): Descriptor {
  return { mediaType: document.mediaType, digest: document.digest, size: document.bytes.length };
}

/** Serialises as a client would: the digest is over exactly these bytes. */
export function documentOf(fields: Fields, mediaType: string, algorithm: Algorithm = 'sha256'): Document {
  const bytes = Buffer.from(JSON.stringify(fields));
  return { bytes, mediaType, digest: digestOf(bytes, algorithm) };
}

export function imageOf(config: object, layers: readonly object[], extra: Fields = {}): Document {
  return documentOf({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers, ...extra }, IMAGE_MANIFEST);
}

export function indexOf(manifests: readonly object[], extra: Fields = {}): Document {
  return documentOf({ schemaVersion: 2, mediaType: IMAGE_INDEX, manifests, ...extra }, IMAGE_INDEX);
}

interface PutOptions {
  readonly headers?: Headers;
  readonly query?: string;
}

/** Puts the document under its own digest, or under the reference given. */
export function putDocument(
  client: RegistryClient,
  repository: string,
  document: Document,
  reference: string = document.digest,
  options: PutOptions = {},
): Exchange {
  return client.putManifest(repository, reference, document.bytes, { mediaType: document.mediaType, ...options });
}

/** A small image, new each time, pushed with all that it needs; under its digest alone unless a tag is given. */
export async function pushedImage(
  client: RegistryClient,
  repository: string,
  tag?: string,
  extra: Fields = {},
): Promise<Document> {
  const image = await unpushedImage(client, repository, extra);
  await putDocument(client, repository, image, tag).expect(201, { digest: image.digest });
  return image;
}

/** As `pushedImage`, but only its blobs are there: the manifest is for the test to push. */
export async function unpushedImage(
  client: RegistryClient,
  repository: string,
  extra: Fields = {},
  algorithm: Algorithm = 'sha256',
): Promise<Document> {
  const config = uniqueConfig();
  const layer = someBytes(128);
  await client.pushBlob(repository, config, algorithm);
  await client.pushBlob(repository, layer, algorithm);
  const fields = {
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST,
    config: describeBytes(IMAGE_CONFIG, config, algorithm),
    layers: [describeBytes(IMAGE_LAYER, layer, algorithm)],
    ...extra,
  };
  return documentOf(fields, IMAGE_MANIFEST, algorithm);
}

/** What a client sees of a blob: redirects are followed, without credentials, as the specification wants it. */
export interface Pulled {
  /** The registry's own answer. */
  readonly registry: Reply;
  /** The answer that brought the bytes; the same one unless there was a redirect. */
  readonly final: Reply;
}

export async function pull(
  client: RegistryClient,
  repository: string,
  digest: string,
  headers: Headers = {},
): Promise<Pulled> {
  const registry = await client.getBlob(repository, digest, headers);
  if (registry.status !== 307) return { registry, final: registry };
  const away = new URL(registry.need('location'));
  const final = await send(away, client.agent, { method: 'GET', path: away.pathname + away.search, headers });
  return { registry, final };
}
