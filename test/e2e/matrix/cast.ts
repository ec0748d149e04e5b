import { randomBytes } from 'node:crypto';
import { isUnlimited } from '../../../src/access/credential-limits.js';
import type { Visibility } from '../../../src/access/policy.js';
import {
  describeBytes,
  digestOf,
  IMAGE_CONFIG,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
  uniqueConfig,
} from '../../support/content.js';
import type { Body, Headers, Reply } from '../../support/http-exchange.js';
import { type Registry, startRegistry } from '../../support/registry.js';
import { CALLER_NAMES, CALLERS, type CallerName, ORG, WRITTEN_GRANTS } from './callers.js';

export interface Sent {
  readonly headers?: Headers;
  readonly body?: Body;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** One repository with everything that a route could be called on. */
export interface Place {
  readonly repository: string;
  /** The part after the namespace. */
  readonly name: string;
  readonly tag: string;
  readonly manifest: { readonly digest: string; readonly bytes: Buffer };
  /** A blob that the manifest needs, and one that nothing does. */
  readonly layer: string;
  readonly spare: string;
}

const PASSWORD = 'a-long-password-for-the-matrix';
const ADMINISTRATOR = 'admin';
/** Users who log in with their password; the others come with a key. */
/** A member of the organization who calls nobody and is added to and removed from things. */
export const SPARE = 'spare';
const USERS = [
  SPARE,
  'stranger',
  'reader',
  'writer',
  'keeper',
  'member',
  'team-member',
  'maintainer',
  'org-admin',
  'org-owner',
];

/** The table's callers as accounts of a real registry. Every request is Basic: what counts is who, not which token. */
export class Cast {
  private readonly credentials = new Map<string, string>();
  private count = 0;

  private constructor(readonly registry: Registry) {}

  static async of(env: Readonly<Record<string, string>>): Promise<Cast> {
    const cast = new Cast(await startRegistry({ env }));
    await cast.assemble();
    return cast;
  }

  /** A request by this caller, exactly as given. */
  async call(
    caller: CallerName,
    method: string,
    path: string,
    { headers = {}, body, json }: Sent = {},
  ): Promise<Reply> {
    const credential = caller === 'anonymous' ? null : this.need(caller);
    const authorization: Headers =
      credential === null ? {} : { authorization: `Basic ${Buffer.from(credential).toString('base64')}` };
    const sent = json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) };
    const type: Headers = json === undefined ? {} : { 'content-type': 'application/json' };
    return this.registry.client.raw(method, path, { ...sent, headers: { ...type, ...authorization, ...headers } });
  }

  /** The same by somebody who may, whose success is needed for what follows. */
  async must(caller: CallerName, method: string, path: string, sent: Sent = {}): Promise<Reply> {
    return (await this.call(caller, method, path, sent)).expect([200, 201, 202, 204]);
  }

  unique(prefix: string): string {
    return `${prefix}-${++this.count}`;
  }

  /** Somebody whom nobody else in the matrix knows. */
  async newUser(): Promise<string> {
    const username = this.unique('person');
    await this.must('administrator', 'POST', '/api/v1/users', { json: { username, password: PASSWORD } });
    return username;
  }

  /** User name and password, for callers that have one. */
  login(caller: CallerName): { username?: string; password?: string } {
    const { principal, limits } = CALLERS[caller];
    if (principal.kind !== 'user' || !isUnlimited(limits)) return {};
    const [, password = ''] = /^[^:]*:(.*)$/.exec(this.need(caller)) ?? [];
    return { username: principal.username, password };
  }

  /** A repository of the organization with one image, its permissions and this visibility. */
  async place(visibility: Visibility): Promise<Place> {
    const name = this.unique('app');
    const repository = `${ORG}/${name}`;
    const [config, layer, spare] = [uniqueConfig(), randomBytes(64), randomBytes(64)];
    for (const blob of [config, layer, spare]) {
      const path = `/v2/${repository}/blobs/uploads/?digest=${digestOf(blob)}`;
      await this.must('orgOwner', 'POST', path, {
        body: blob,
        headers: { 'content-type': 'application/octet-stream' },
      });
    }
    const image = { config: describeBytes(IMAGE_CONFIG, config), layers: [describeBytes(IMAGE_LAYER, layer)] };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, ...image }));
    const manifest = { digest: digestOf(bytes), bytes };
    await this.must('orgOwner', 'PUT', `/v2/${repository}/manifests/v1`, {
      body: bytes,
      headers: { 'content-type': IMAGE_MANIFEST },
    });
    await this.must('orgOwner', 'PATCH', `/api/v1/repos/${repository}`, { json: { visibility } });
    await this.must('orgOwner', 'PUT', `/api/v1/repos/${repository}/permissions`, { json: { grants: WRITTEN_GRANTS } });
    return { repository, name, tag: 'v1', manifest, layer: digestOf(layer), spare: digestOf(spare) };
  }

  private need(caller: CallerName): string {
    const credential = this.credentials.get(caller);
    if (credential === undefined) throw new Error(`${caller} has no credential`);
    return credential;
  }

  private async assemble(): Promise<void> {
    this.credentials.set('administrator', `${ADMINISTRATOR}:${this.registry.password}`);
    for (const username of USERS) {
      await this.must('administrator', 'POST', '/api/v1/users', { json: { username, password: PASSWORD } });
    }
    for (const caller of CALLER_NAMES) {
      const { principal } = CALLERS[caller];
      if (principal.kind === 'user' && caller !== 'administrator' && caller !== 'pullKey')
        this.credentials.set(caller, `${principal.username}:${PASSWORD}`);
    }
    await this.found();
    await this.giveKeys();
  }

  private async found(): Promise<void> {
    await this.must('orgOwner', 'POST', '/api/v1/orgs', { json: { name: ORG } });
    const members = [
      ['org-admin', 'admin'],
      ['member', 'member'],
      [SPARE, 'member'],
      ['team-member', 'member'],
      ['maintainer', 'member'],
    ];
    for (const [username, role] of members) {
      await this.must('orgOwner', 'POST', `/api/v1/orgs/${ORG}/members`, { json: { username, role } });
    }
    await this.must('orgOwner', 'POST', `/api/v1/orgs/${ORG}/teams`, { json: { name: 'dev' } });
    for (const username of ['team-member', 'maintainer']) {
      const json = { username, maintainer: username === 'maintainer' };
      await this.must('orgOwner', 'POST', `/api/v1/orgs/${ORG}/teams/dev/members`, { json });
    }
    await this.must('orgOwner', 'POST', `/api/v1/orgs/${ORG}/robots`, { json: { name: 'ci' } });
  }

  private async giveKeys(): Promise<void> {
    const robot = await this.must('orgOwner', 'POST', `/api/v1/orgs/${ORG}/robots/ci/keys`, {
      json: { name: 'matrix' },
    });
    this.credentials.set('robot', `robot-${ORG}.ci:${robot.json<{ key: string }>().key}`);
    const json = { name: 'matrix', scopes: ['repo:pull'] };
    const key = await this.must('orgOwner', 'POST', '/api/v1/auth/keys', { json });
    this.credentials.set('pullKey', `org-owner:${key.json<{ key: string }>().key}`);
  }
}
