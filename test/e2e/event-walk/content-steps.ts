import { documentOf, someBytes } from '../../conformance/documents.js';
import {
  describeBytes,
  digestOf,
  IMAGE_CONFIG,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
  uniqueConfig,
} from '../../support/content.js';
import type { RegistryClient } from '../../support/registry-client.js';
import { sendSigned } from '../../support/signed-request.js';
import type { Told, Walk } from './walk.js';

const REPO = '/api/v1/repos/{namespace}/{name}';
const OCTETS = { 'content-type': 'application/octet-stream' };
const UPLOADS = '/v2/{name}/blobs/uploads';
const SHA256 = 'sha256:';

interface People {
  /** Owns `acme`, and her own namespace. */
  readonly alice: RegistryClient;
}

export async function walkRepositories(walk: Walk, { alice: by }: People): Promise<void> {
  const at = { namespace: 'acme', name: 'app' };
  const put = { route: `PUT ${REPO}`, by, at };
  const settings = { visibility: 'private', description: 'An application' };
  await walk.step({ ...put, json: settings, status: 201, events: [['repository.created', 'repo:acme/app']] });
  await walk.step({ ...put, json: settings, status: 200, events: [['repository.updated', 'repo:acme/app']] });
  const patch = { route: `PATCH ${REPO}`, by, at, json: { sparse: true } };
  await walk.step({ ...patch, status: 200, events: [['repository.updated', 'repo:acme/app']] });
  await walk.step({ ...patch, headers: { 'if-match': '"another"' }, status: 412, events: [] });
  await walk.step({
    route: `PUT ${REPO}/permissions`,
    by,
    at,
    json: { grants: [{ kind: 'user', name: 'carol', role: 'write' }] },
    status: 200,
    events: [['grant.changed', 'repo:acme/app']],
  });
  const rename = { route: `POST ${REPO}/rename`, by };
  const events: readonly Told[] = [['repository.renamed', 'repo:acme/app']];
  await walk.step({ ...rename, at, json: { name: 'service' }, status: 200, events });
  await walk.step({ ...rename, at: { ...at, name: 'nothing' }, json: { name: 'x1' }, status: 404, events: [] });
  // Both namespaces' owners see it go or come.
  await walk.step({
    ...rename,
    at: { namespace: 'acme', name: 'service' },
    json: { namespace: 'alice', name: 'walked' },
    status: 200,
    events: [['repository.renamed', 'repo:acme/service']],
    entries: [
      ['repo.rename', 'repo:acme/service'],
      ['repo.rename', 'repo:alice/walked'],
    ],
  });
  const release = { route: `DELETE ${REPO}/aliases`, by, at: { namespace: 'alice', name: 'walked' } };
  await walk.step({
    ...release,
    query: 'path=acme%2Fapp',
    status: 204,
    events: [['repository.alias.released', 'repo:alice/walked']],
    entries: [
      ['repo.alias.release', 'repo:alice/walked'],
      ['repo.alias.release', 'repo:acme/app'],
    ],
  });
  await walk.step({ ...release, query: 'path=acme%2Fapp', status: 404, events: [] });
  await walk.step({
    ...put,
    at: { namespace: 'acme', name: 'gone' },
    json: {},
    status: 201,
    events: [['repository.created', 'repo:acme/gone']],
  });
  const end = { route: `DELETE ${REPO}`, by, at: { namespace: 'acme', name: 'gone' } };
  await walk.step({ ...end, status: 204, events: [['repository.deleted', 'repo:acme/gone']] });
  await walk.step({ ...end, status: 404, events: [] });
}

/** A blob is activity: only the repository that its push makes is an event, and what is deleted. */
export async function walkBlobs(walk: Walk, { alice: by }: People): Promise<void> {
  const at = { name: 'acme/blobs' };
  const start = { route: `POST ${UPLOADS}`, by };
  const bytes = someBytes();
  const digest = digestOf(bytes);
  const first = await walk.step({ ...start, at, status: 202, events: [['repository.created', 'repo:acme/blobs']] });
  const [path = '', search = ''] = first.need('location').split('?');
  await walk.step({
    route: `PATCH ${UPLOADS}/{id}`,
    by,
    at: path,
    query: search,
    body: bytes,
    headers: OCTETS,
    status: 202,
    events: [],
  });
  const query = [search, `digest=${digest}`].filter(Boolean).join('&');
  await walk.step({ route: `PUT ${UPLOADS}/{id}`, by, at: path, query, status: 201, events: [] });
  const other = (await walk.step({ ...start, at, status: 202, events: [] })).need('location').split('?');
  await walk.step({ route: `DELETE ${UPLOADS}/{id}`, by, at: other[0] ?? '', status: 204, events: [] });
  const whole = someBytes();
  const atOnce = { ...start, query: `digest=${digestOf(whole)}`, body: whole, headers: OCTETS };
  await walk.step({ ...atOnce, at, status: 201, events: [] });
  await walk.step({
    ...start,
    at: { name: 'acme/mounts' },
    query: `mount=${digest}&from=acme/blobs`,
    status: 201,
    events: [['repository.created', 'repo:acme/mounts']],
  });
  const remove = { route: 'DELETE /v2/{name}/blobs/{digest}', by, at: { ...at, digest } };
  await walk.step({ ...remove, status: 202, events: [['blob.deleted', `repo:acme/blobs@${digest}`]] });
  await walk.step({ ...remove, status: 404, events: [] });
}

export async function walkDirectUploads(walk: Walk, { alice: by }: People): Promise<void> {
  const at = { namespace: 'acme', name: 'blobs' };
  const route = `POST ${REPO}/blobs/uploads`;
  const bytes = someBytes(5_000);
  const json = { digest: digestOf(bytes), size: bytes.length };
  const one = (await walk.step({ route, by, at, json, status: 201, events: [] })).json<{
    id: string;
    put: { url: string; headers: Record<string, string> };
  }>();
  if ((await sendSigned(one.put, bytes)).status !== 200) throw new Error('the store refused the bytes');
  const upload = { by, at: { ...at, id: one.id }, events: [] };
  await walk.step({ ...upload, route: `${route}/{id}/complete`, status: 201 });
  const large = { digest: digestOf('large'), size: 2 ** 25, multipart: true };
  const { id } = (await walk.step({ route, by, at, json: large, status: 201, events: [] })).json<{ id: string }>();
  const parts = [{ number: 1, sha256: digestOf('part').slice(SHA256.length), size: 2 ** 24 }];
  const many = { ...upload, at: { ...at, id } };
  await walk.step({ ...many, route: `${route}/{id}/parts`, json: { parts }, status: 200 });
  await walk.step({ ...many, route: `DELETE ${REPO}/blobs/uploads/{id}`, status: 204 });
}

/** An image in the repository, of which only the manifest is not pushed yet. */
async function image(by: RegistryClient, name: string) {
  const [config, layer] = [uniqueConfig(), someBytes()];
  for (const blob of [config, layer]) await by.postBlob(name, blob).expect(201);
  const fields = { config: describeBytes(IMAGE_CONFIG, config), layers: [describeBytes(IMAGE_LAYER, layer)] };
  return documentOf({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, ...fields }, IMAGE_MANIFEST);
}

export async function walkManifests(walk: Walk, { alice: by }: People): Promise<void> {
  const name = 'acme/blobs';
  const push = async (
    reference: string,
    tags: readonly string[],
    moved: readonly string[],
    known?: Awaited<ReturnType<typeof image>>,
  ) => {
    const { digest, bytes } = known ?? (await image(by, name));
    const extra = tags.filter((tag) => tag !== reference).map((tag) => `tag=${tag}`);
    await walk.step({
      route: 'PUT /v2/{name}/manifests/{reference}',
      by,
      at: { name, reference: reference === '' ? digest : reference },
      ...(extra.length > 0 ? { query: extra.join('&') } : {}),
      body: bytes,
      headers: { 'content-type': IMAGE_MANIFEST },
      status: 201,
      events: [
        ['manifest.pushed', `repo:${name}@${digest}`],
        ...moved.map((tag): Told => ['tag.moved', `repo:${name}:${tag}`]),
      ],
    });
    return { digest, bytes, mediaType: IMAGE_MANIFEST };
  };
  const first = await push('v1', ['v1'], ['v1']);
  await push('v1', ['v1'], [], first);
  const second = await push('v1', ['v1'], ['v1']);
  await push('', ['a', 'b'], ['a', 'b'], first);
  const untagged = await push('', [], []);

  const deleted = ({ digest }: { digest: string }, ...tags: string[]): readonly Told[] => [
    ['manifest.deleted', `repo:${name}@${digest}`],
    ...tags.map((tag): Told => ['tag.deleted', `repo:${name}:${tag}`]),
  ];
  const entry = ({ digest }: { digest: string }) => [['manifest.delete', `repo:${name}@${digest}`]] as const;
  const remove = { route: 'DELETE /v2/{name}/manifests/{reference}', by };
  await walk.step({
    ...remove,
    at: { name, reference: 'v1' },
    status: 202,
    events: [['tag.deleted', `repo:${name}:v1`]],
  });
  await walk.step({ ...remove, at: { name, reference: 'v1' }, status: 404, events: [] });
  // The tags' end is told, and is a part of the manifest's in the audit log.
  await walk.step({
    ...remove,
    at: { name, reference: first.digest },
    status: 202,
    events: deleted(first, 'a', 'b'),
    entries: entry(first),
  });
  await walk.step({ ...remove, at: { name, reference: untagged.digest }, status: 202, events: deleted(untagged) });

  const at = { namespace: 'acme', name: 'blobs' };
  await push('', ['c', 'd'], ['c', 'd'], second);
  const tag = { route: `DELETE ${REPO}/tags/{tag}`, by, at: { ...at, tag: 'c' } };
  await walk.step({ ...tag, status: 204, events: [['tag.deleted', `repo:${name}:c`]] });
  await walk.step({ ...tag, status: 404, events: [] });
  const digest = { route: `DELETE ${REPO}/manifests/{digest}`, by, at: { ...at, digest: second.digest } };
  await walk.step({ ...digest, status: 204, events: deleted(second, 'd'), entries: entry(second) });
  await walk.step({ ...digest, status: 404, events: [] });

  const third = await push('e', ['e', 'f'], ['e', 'f']);
  const items = [
    { repository: name, tag: 'e' },
    { repository: name, digest: third.digest },
    { repository: name, tag: 'nothing' },
    { repository: 'acme/mounts' },
  ];
  await walk.step({
    route: 'POST /api/v1/deletions',
    by,
    json: { items },
    status: 200,
    events: [['tag.deleted', `repo:${name}:e`], ...deleted(third, 'f'), ['repository.deleted', 'repo:acme/mounts']],
    entries: [['tag.delete', `repo:${name}:e`], ...entry(third), ['repo.delete', 'repo:acme/mounts']],
  });
  await walk.step({ route: `DELETE ${REPO}`, by, at, status: 204, events: [['repository.deleted', `repo:${name}`]] });
  await walk.step({
    route: `PUT ${REPO}`,
    by,
    at: { ...at, name: 'left' },
    json: {},
    status: 201,
    events: [['repository.created', 'repo:acme/left']],
  });
}
