import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { someBytes, uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { digestOf, IMAGE_MANIFEST } from '../support/content.js';
import { type Headers, open } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { casesHere } from '../support/soak.js';
import { uploadRow } from './left-behind.js';
import { repoApi } from './tenants.js';

const MIB = 2 ** 20;

/** One node, where facts live in memory; then a change on another node than the body comes to. */
const SETTINGS: readonly (readonly [string, () => Promise<[Registry, Registry]>])[] = [
  [
    'on one node with its own database',
    async () => {
      const node = await startRegistry({ database: 'embedded' });
      return [node, node];
    },
  ],
  [
    'on another node, with Redis between them',
    async () => {
      const node = await startRegistry({ redis: true });
      return [node, await startRegistry({ like: node })];
    },
  ],
  [
    'on another node, with nothing cached',
    async () => {
      const node = await startRegistry({ redis: false });
      return [node, await startRegistry({ like: node })];
    },
  ],
];

/** A repository of the administrator's, somebody who may do everything there, with a key, and what they are about to change. */
interface Scene {
  readonly repository: string;
  readonly person: string;
  readonly keyId: string;
  readonly headers: Headers;
  /** Of the tag `latest`. */
  readonly digest: string;
  /** Another one of the same blobs. */
  readonly manifest: Buffer;
}

interface Held {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
  readonly type: string;
  /** What must be as it was after the refusal. */
  readonly isUntouched: () => Promise<boolean>;
  /** Whether its body is read before anything is judged: then whatever is at the path by the end is what it is for. */
  readonly isJudgedLast?: boolean;
}

const REPLACED = 'another repository takes the place';

/** What a node knows of rights is the same over every store, and where its bytes go is the same with every cache. */
const SETTINGS_HERE = casesHere({ filesystem: SETTINGS, s3: SETTINGS.slice(1, 2) });

describe.each(SETTINGS_HERE)('a right that ends while a body is on its way, %s', (_setting, start) => {
  let changing: Registry;
  let admin: RegistryClient;
  /** Where the body comes in. */
  let there: RegistryClient;

  beforeAll(async () => {
    const [one, two] = await start();
    changing = one;
    admin = one.client;
    there = two.client.anonymous();
  }, 120_000);

  const grant = (repository: string, person: string): Promise<unknown> => {
    const grants = [{ kind: 'user', name: person, role: 'admin' }];
    return admin.api('PUT', repoApi(repository, '/permissions'), { grants }).expect(200);
  };

  async function newScene(): Promise<Scene> {
    const [person, repository] = [uniqueName('person'), `admin/${uniqueName('late')}`];
    const client = await signUp(admin, person);
    const scopes = ['repo:pull', 'repo:push', 'repo:delete', 'manage'];
    const made = await client.api('POST', '/api/v1/auth/keys', { name: 'ci', scopes }).expect(201);
    client.close();
    const { id, key } = made.json<{ id: string; key: string }>();
    const { bytes, digest } = await admin.pushImage(repository, 'latest', { layers: [someBytes(100)] });
    await grant(repository, person);
    const document = { ...(JSON.parse(bytes.toString()) as object), annotations: { other: 'one' } };
    const headers = { authorization: `Bearer ${key}` };
    return { repository, person, keyId: id, headers, digest, manifest: Buffer.from(JSON.stringify(document)) };
  }

  /** Each with the status that the request gets. */
  const CHANGES: Readonly<Record<string, readonly [number, (scene: Scene) => Promise<unknown>]>> = {
    'the right is taken away': [
      404,
      ({ repository }) => admin.api('PUT', repoApi(repository, '/permissions'), { grants: [] }).expect(200),
    ],
    'the user is disabled': [
      401,
      ({ person }) => admin.api('PATCH', `/api/v1/users/${person}`, { disabled: true }).expect(200),
    ],
    'the key is revoked': [
      401,
      async ({ person, keyId }) => {
        const holder = admin.as(person, `${person}-long-password-1`);
        await holder.api('DELETE', `/api/v1/auth/keys/${keyId}`).expect(204);
        holder.close();
      },
    ],
    [REPLACED]: [
      404,
      async ({ repository, person }) => {
        await admin.api('DELETE', repoApi(repository)).expect(204);
        await admin.api('PUT', repoApi(repository), {}).expect(201);
        await grant(repository, person);
      },
    ],
  };

  async function upload({ repository, headers }: Scene): Promise<string> {
    const reply = await there.raw('POST', `/v2/${repository}/blobs/uploads/`, { headers }).expect(202);
    return reply.need('location');
  }

  const tagOf = async ({ repository }: Scene): Promise<string | undefined> =>
    (await admin.headManifest(repository, 'latest')).header('docker-content-digest');
  const isAbsent = async (scene: Scene, bytes: Buffer): Promise<boolean> =>
    (await admin.headBlob(scene.repository, digestOf(bytes))).status === 404;

  function blob(method: string, path: string, body: Buffer, scene: Scene): Held {
    return { method, path, body, type: 'application/octet-stream', isUntouched: () => isAbsent(scene, body) };
  }

  async function patched(scene: Scene, body: Buffer): Promise<Held> {
    const location = await upload(scene);
    const id = location.split('/').at(-1) ?? '';
    const isUntouched = async (): Promise<boolean> => {
      if (changing.databaseUrl !== null) return ((await uploadRow(changing, id))?.received ?? '0') === '0';
      const { status, headers } = await there.raw('GET', location, { headers: scene.headers });
      return status !== 204 || headers['range'] === '0-0';
    };
    return { ...blob('PATCH', location, body, scene), isUntouched };
  }

  async function closed(scene: Scene, body: Buffer): Promise<Held> {
    return blob('PUT', `${await upload(scene)}?digest=${digestOf(body)}`, body, scene);
  }

  const atOnce = (scene: Scene, body: Buffer): Held =>
    blob('POST', `/v2/${scene.repository}/blobs/uploads/?digest=${digestOf(body)}`, body, scene);

  function settings(method: string, scene: Scene): Held {
    const body = Buffer.from(JSON.stringify({ description: 'x'.repeat(100) }));
    const isUntouched = async (): Promise<boolean> =>
      (await admin.api('GET', repoApi(scene.repository)).expect(200)).json()['description'] === '';
    return { method, path: repoApi(scene.repository), body, type: 'application/json', isUntouched, isJudgedLast: true };
  }

  const ROUTES: Readonly<Record<string, (scene: Scene) => Held | Promise<Held>>> = {
    'PUT of a manifest by a tag': (scene) => ({
      method: 'PUT',
      path: `/v2/${scene.repository}/manifests/latest`,
      body: scene.manifest,
      type: IMAGE_MANIFEST,
      isUntouched: async () => [scene.digest, undefined].includes(await tagOf(scene)),
    }),
    'PUT of a manifest by its digest': (scene) => ({
      method: 'PUT',
      path: `/v2/${scene.repository}/manifests/${digestOf(scene.manifest)}`,
      body: scene.manifest,
      type: IMAGE_MANIFEST,
      isUntouched: async () => (await admin.headManifest(scene.repository, digestOf(scene.manifest))).status === 404,
    }),
    'PATCH of a few bytes': (scene) => patched(scene, someBytes(100)),
    'PATCH of many': (scene) => patched(scene, someBytes(MIB)),
    'closing PUT of a few bytes': (scene) => closed(scene, someBytes(100)),
    'closing PUT of many': (scene) => closed(scene, someBytes(MIB)),
    'POST of a small blob': (scene) => atOnce(scene, someBytes(100)),
    'POST of a large blob': (scene) => atOnce(scene, someBytes(MIB)),
    'PATCH of settings': (scene) => settings('PATCH', scene),
    'PUT of settings': (scene) => settings('PUT', scene),
  };

  it.each(Object.entries(ROUTES))(
    'refuses the %s, and changes nothing',
    async (_, hold) => {
      const outcomes = await Promise.all(
        Object.entries(CHANGES).map(async ([name, [expected, change]]) => {
          const scene = await newScene();
          const held = await hold(scene);
          const { status, code } = await send(there, held, scene.headers, () => change(scene));
          if (name === REPLACED && held.isJudgedLast === true) return null;
          const isUntouched = await held.isUntouched();
          return status === expected && code !== '' && isUntouched ? null : { name, status, code, isUntouched };
        }),
      );
      expect(outcomes.filter((outcome) => outcome !== null)).toEqual([]);
    },
    60_000,
  );

  it.each(Object.entries(ROUTES))('takes the %s when nothing has changed', async (_, hold) => {
    const scene = await newScene();
    const held = await hold(scene);
    const { status } = await send(there, held, scene.headers, () => Promise.resolve());
    expect([200, 201, 202]).toContain(status);
    expect(await held.isUntouched()).toBe(false);
  });
});

/** Sends the head and half of the body, and the other half after `meanwhile`: the server had begun to read by then. */
async function send(
  client: RegistryClient,
  { method, path, body, type }: Held,
  headers: Headers,
  meanwhile: () => Promise<unknown>,
): Promise<{ status: number | undefined; code: string }> {
  const head = { ...headers, 'content-type': type, 'content-length': String(body.length), expect: '100-continue' };
  const request = open(client.base, client.agent, { method, path, headers: head });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined);
  const continued = once(request, 'continue');
  request.flushHeaders();
  await continued;
  const half = Math.floor(body.length / 2);
  request.write(body.subarray(0, half));
  await meanwhile();
  request.end(body.subarray(half));
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const { errors, code = errors?.[0]?.code ?? '' } = (text === '' ? {} : JSON.parse(text)) as {
    errors?: { code: string }[];
    code?: string;
  };
  return { status: response.statusCode, code };
}
