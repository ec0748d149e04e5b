import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { UNLIMITED } from '../../access/credential-limits.js';
import { ANONYMOUS, type Principal } from '../../access/principal.js';
import { AppConfig } from '../../config/config.js';
import type { AuditedRoute } from '../../http/guards/audited.decorator.js';
import type { RequestContext } from '../../http/request-context.js';
import { OciError } from '../../oci/oci-error.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import type { AuditRecord } from './audit-record.js';
import { AuditRecorder } from './audit-recorder.js';
import type { AuditWriter } from './audit-writer.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const ALICE: Principal = {
  kind: 'user',
  id: 7,
  username: 'alice',
  admin: false,
  namespaceId: 70,
  memberships: [{ orgId: 1, namespaceId: 10, org: 'acme', role: 'member', defaultRole: null }],
  teams: [],
};
const PASSWORD = { label: 'password', expiresAt: null, limits: UNLIMITED, scopes: null };
const MANIFEST = '/v2/*name/manifests/:reference';
const BLOB = '/v2/*name/blobs/:digest';
const UPLOADS = '/v2/*name/blobs/uploads';
const UPLOAD = '/v2/*name/blobs/uploads/:id';

class Answer extends EventEmitter {
  headersSent = false;
  statusCode = 200;

  writeHead(status: number): this {
    [this.headersSent, this.statusCode] = [true, status];
    return this;
  }
}

/** What the controllers declare beside these routes. */
const AUDITED: Readonly<Record<string, AuditedRoute>> = {
  [`GET ${MANIFEST}`]: { action: 'manifest.pull', success: 'request' },
  [`PUT ${MANIFEST}`]: { action: 'manifest.push', success: 'transaction' },
  [`GET ${BLOB}`]: { action: 'blob.pull', success: 'request' },
  [`HEAD ${BLOB}`]: { action: 'blob.pull', success: 'request' },
  [`DELETE ${BLOB}`]: { action: 'blob.delete', success: 'transaction' },
  [`POST ${UPLOADS}`]: { action: 'blob.push', success: 'created' },
  [`PATCH ${UPLOAD}`]: { action: 'blob.push', success: 'created' },
  [`PUT ${UPLOAD}`]: { action: 'blob.push', success: 'request' },
  [`DELETE ${UPLOAD}`]: { action: 'upload.cancel', success: 'request' },
  'GET /api/v1/audit': { action: 'audit.read', success: 'request' },
  'HEAD /api/v1/audit': { action: 'audit.read', success: 'request' },
  'GET /api/v1/orgs/:org/audit': { action: 'audit.read', success: 'request' },
  'HEAD /api/v1/orgs/:org/audit': { action: 'audit.read', success: 'request' },
  'GET /api/v1/auth/token': { action: 'session.create', success: 'transaction' },
  'POST /api/v1/users': { action: 'user.create', success: 'transaction' },
};

interface Given extends Partial<RequestContext> {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly url?: string;
}

let records: AuditRecord[];
let recorder: AuditRecorder;

beforeEach(() => {
  recorder = newRecorder(false);
});

function newRecorder(auditPulls: boolean): AuditRecorder {
  records = [];
  const add = (record: AuditRecord): unknown => records.push(record);
  const writer = { add, addRepeatable: add } as unknown as AuditWriter;
  return new AuditRecorder(
    writer,
    Object.assign(Object.create(AppConfig.prototype), { security: { auditPulls } }) as AppConfig,
  );
}

function requestOf(method: string, path: string, { params = {}, query = {}, url = path, ...context }: Given): Request {
  const none = {
    id: 'request-1',
    proxyId: null,
    principal: null,
    credential: null,
    named: null,
    denied: null,
    claimedName: null,
  };
  const audited = AUDITED[`${method} ${path}`] ?? null;
  const known = { ...none, audited, error: null, ...context };
  const [pathname] = url.split('?');
  const target = { url, originalUrl: url, path: pathname };
  return { method, params, query, ...target, ip: '192.0.2.7', context: known } as unknown as Request;
}

const named = (name: string, namespaceId: number | null): Pick<RequestContext, 'named'> => ({
  named: {
    name: name as RepositoryName,
    repository: namespaceId === null ? null : ({ path: name, namespaceId } as never),
  },
});
const alice = { principal: ALICE, credential: PASSWORD };
const app = named('acme/app', 10);

/** A request that succeeded. */
function ended(method: string, path: string, status: number, given: Given): void {
  const [request, answer] = [requestOf(method, path, given), new Answer()];
  recorder.observe(request, answer as unknown as Response);
  answer.writeHead(status).emit('close');
}

/** A request that an error was answered to. */
function refused(method: string, path: string, status: number, given: Given): void {
  const request = requestOf(method, path, given);
  const answer = new Answer();
  recorder.observe(request, answer as unknown as Response);
  answer.writeHead(status);
  recorder.failed(request, answer as unknown as Response);
  answer.emit('close');
}

describe('writes of blobs', () => {
  const params = { digest: DIGEST };

  it.each([
    ['PUT', UPLOAD, 201, { query: params }, 'blob.push', `repo:acme/app@${DIGEST}`],
    ['POST', UPLOADS, 201, { query: params }, 'blob.push', `repo:acme/app@${DIGEST}`],
    ['POST', UPLOADS, 201, { query: { mount: DIGEST } }, 'blob.mount', `repo:acme/app@${DIGEST}`],
    ['DELETE', UPLOAD, 204, {}, 'upload.cancel', 'repo:acme/app'],
  ])('%s %s that answers %i is an entry', (method, path, status, given, action, resource) => {
    ended(method, path, status, { ...alice, ...app, ...given });
    expect(records).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        id: expect.any(String),
        actor: 'user:7',
        credential: 'password',
        address: '192.0.2.7',
        action,
        resource,
        namespaceId: 10,
        namespace: 'acme',
        outcome: 'allowed',
        detail: null,
      },
    ]);
  });

  it('are none while the upload goes on, nor where a transaction has the entry', () => {
    ended('POST', UPLOADS, 202, { ...alice, ...app });
    ended('POST', UPLOADS, 202, { ...alice, ...app, query: { mount: DIGEST } });
    ended('PATCH', UPLOAD, 202, { ...alice, ...app });
    ended('PUT', MANIFEST, 201, { ...alice, ...app, params: { reference: 'v1' } });
    ended('DELETE', BLOB, 202, { ...alice, ...app, params });
    expect(records).toEqual([]);
  });

  it('are in the order in which they ended, however many end in one millisecond', () => {
    for (let count = 0; count < 500; count++) ended('PUT', UPLOAD, 201, { ...alice, ...app, query: params });
    const times = records.map(({ at }) => at);
    expect(times).toEqual([...new Set(times)].sort());
  });

  it('are in the namespace of a repository that they have just made', () => {
    ended('POST', UPLOADS, 201, { ...alice, ...named('acme/new', null), query: params });
    expect(records).toEqual([expect.objectContaining({ namespaceId: null, namespace: 'acme' })]);
  });

  it('are entries when they succeed after the client has left', () => {
    const answer = new Answer();
    recorder.observe(requestOf('PUT', UPLOAD, { ...alice, ...app }), answer as unknown as Response);
    answer.emit('close');
    expect(records).toEqual([]);
    answer.writeHead(201);
    expect(records).toEqual([expect.objectContaining({ action: 'blob.push', outcome: 'allowed' })]);
  });

  it('are failures when they end by the client leaving', () => {
    const [request, answer] = [
      requestOf('PUT', UPLOAD, { ...alice, ...app, error: new Error('aborted') }),
      new Answer(),
    ];
    recorder.observe(request, answer as unknown as Response);
    answer.emit('close');
    recorder.failed(request, answer as unknown as Response);
    expect(records.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['failed', { reason: 'clientLeft', status: 499, requestId: 'request-1' }],
    ]);
  });
});

describe('reads of the audit log', () => {
  it.each([
    ['/api/v1/audit', {}, '/api/v1/audit'],
    ['/api/v1/orgs/:org/audit', { params: { org: 'acme' }, url: '/api/v1/orgs/acme/audit?limit=1' }, 'org:acme'],
  ])('%s are entries when they succeed', (path, given, resource) => {
    for (const method of ['GET', 'HEAD']) ended(method, path, 200, { ...alice, ...given });
    const entry = ['user:7', 'audit.read', resource, 'allowed'];
    expect(records.map((one) => [one.actor, one.action, one.resource, one.outcome])).toEqual([entry, entry]);
  });

  it('leave other reads alone', () => {
    ended('GET', '/api/v1/repos/:namespace/*name', 200, { ...alice, url: '/api/v1/repos/acme/audit' });
    expect(records).toEqual([]);
  });
});

describe('pulls', () => {
  const pulls = (): void => {
    ended('GET', MANIFEST, 200, { principal: ANONYMOUS, ...app, params: { reference: 'v1' } });
    ended('GET', BLOB, 307, { ...alice, ...app, params: { digest: DIGEST } });
    ended('HEAD', BLOB, 200, { ...alice, ...app, params: { digest: DIGEST } });
    ended('GET', '/v2/*name/tags/list', 200, { ...alice, ...app });
  };

  it('are no entries, and nobody even waits for their end', () => {
    pulls();
    const answer = new Answer();
    recorder.observe(requestOf('GET', BLOB, app), answer as unknown as Response);
    expect(answer.listenerCount('close')).toBe(0);
    expect(records).toEqual([]);
  });

  it('are entries with AUDIT_PULLS, anonymous ones too, HEAD not', () => {
    recorder = newRecorder(true);
    pulls();
    expect(records.map(({ actor, action, resource }) => [actor, action, resource])).toEqual([
      ['anonymous', 'manifest.pull', 'repo:acme/app:v1'],
      ['user:7', 'blob.pull', `repo:acme/app@${DIGEST}`],
    ]);
  });

  it('are entries also when the client takes all but the last byte', () => {
    recorder = newRecorder(true);
    const [request, answer] = [requestOf('GET', BLOB, { ...alice, ...app, error: new Error('gone') }), new Answer()];
    recorder.observe(request, answer as unknown as Response);
    answer.writeHead(200);
    recorder.failed(request, answer as unknown as Response);
    answer.emit('close');
    expect(records.map(({ outcome }) => outcome)).toEqual(['allowed']);
  });
});

describe('refusals', () => {
  it('of somebody known are entries, for reads as for writes', () => {
    refused('GET', MANIFEST, 404, { ...alice, ...app, denied: 'unknown', params: { reference: DIGEST } });
    refused('PUT', MANIFEST, 403, { ...alice, ...app, denied: 'denied' });
    refused('GET', '/v2/*name/tags/list', 404, { ...alice, ...app, denied: 'unknown' });
    expect(records.map(({ actor, action, outcome, detail }) => [actor, action, outcome, detail?.['reason']])).toEqual([
      ['user:7', 'manifest.pull', 'denied', 'unknown'],
      ['user:7', 'manifest.push', 'denied', 'denied'],
      ['user:7', 'repo.read', 'denied', 'unknown'],
    ]);
  });

  it('are counted when nobody has shown anything', () => {
    refused('GET', MANIFEST, 401, { denied: 'credentialsMissing', principal: ANONYMOUS, ...app });
    refused('POST', UPLOADS, 401, { denied: 'scopeInsufficient', principal: ANONYMOUS, ...app });
    refused('POST', '/api/v1/users', 403, { error: new OciError('denied') });
    expect(records).toEqual([]);
    expect(recorder.anonymousChallenges).toBe(3);
  });

  it.each([
    ['alice', { username: 'alice' }],
    ['robot-acme.ci', { username: 'robot-acme.ci' }],
    ['Correct Horse!', {}],
    ['aerugo_pat_0123456789', {}],
    ['x'.repeat(101), {}],
  ])('of wrong credentials say who they claimed to be, if "%s" can be a name', (claimedName, said) => {
    refused('GET', '/api/v1/auth/token', 401, { denied: 'credentialsWrong', claimedName });
    const detail = { reason: 'credentialsWrong', status: 401, requestId: 'request-1', ...said };
    expect(records).toEqual([expect.objectContaining({ actor: 'anonymous', credential: null, detail })]);
  });

  it('are no business of a namespace in which there is nothing, except of its own members', () => {
    refused('PUT', MANIFEST, 404, { ...alice, ...named('other/none', null), denied: 'unknown' });
    refused('PUT', MANIFEST, 404, { ...alice, ...named('acme/none', null), denied: 'unknown' });
    refused('GET', '/api/v1/orgs/:org/audit', 403, { ...alice, params: { org: 'acme' }, denied: 'denied' });
    refused('GET', MANIFEST, 401, { ...named('acme/none', null), denied: 'credentialsWrong' });
    expect(records.map(({ resource, namespaceId, namespace }) => [resource, namespaceId, namespace])).toEqual([
      ['repo:other/none', null, null],
      ['repo:acme/none', null, 'acme'],
      ['org:acme', null, 'acme'],
      ['repo:acme/none', null, null],
    ]);
  });

  it('are none where something is not there for somebody who may look', () => {
    refused('GET', MANIFEST, 404, { ...alice, ...app, error: new OciError('manifestUnknown') });
    expect(records).toEqual([]);
    refused('GET', MANIFEST, 429, { ...alice, ...app, error: new OciError('tooManyRequests') });
    expect(records).toHaveLength(1);
  });

  it('are none where it was one request too many of a minute, not even of a write', () => {
    refused('GET', MANIFEST, 429, { ...alice, ...app, error: new OciError('rateLimited') });
    refused('PUT', MANIFEST, 429, { ...alice, ...app, error: new OciError('rateLimited') });
    expect(records).toEqual([]);
  });
});

describe('failures', () => {
  it('of writes are entries with their reason', () => {
    refused('PUT', MANIFEST, 400, { ...alice, ...app, error: new OciError('manifestInvalid') });
    refused('PATCH', UPLOAD, 500, { ...alice, ...app, error: new Error('secret') });
    expect(records.map(({ action, outcome, detail }) => [action, outcome, detail])).toEqual([
      ['manifest.push', 'failed', { reason: 'manifestInvalid', status: 400, requestId: 'request-1' }],
      ['blob.push', 'failed', { status: 500, requestId: 'request-1' }],
    ]);
  });

  it('of reads are none, nor of what no route takes', () => {
    refused('GET', MANIFEST, 500, { ...alice, ...app, error: new Error('broken') });
    refused('POST', '/nowhere', 404, { error: new Error('no route') });
    expect(records).toEqual([]);
  });
});

describe('resources', () => {
  it.each([
    ['/api/v1/users/:username', { params: { username: 'bob' } }, 'user:bob'],
    ['/api/v1/users/:username', { params: { username: 'Bob\0' }, url: '/api/v1/users/Bob%00' }, '/api/v1/users/Bob%00'],
    ['/api/v1/orgs/:org', { params: { org: 'acme' } }, 'org:acme'],
    [
      '/api/v1/orgs/:org/teams/:team/members/:username',
      { params: { org: 'acme', team: 'dev', username: 'bob' } },
      'org:acme/team:dev/member:bob',
    ],
    ['/api/v1/audit', { url: '/api/v1/audit?actor=bob' }, '/api/v1/audit'],
    ['/api/v1/audit', { url: `/${'x'.repeat(5000)}` }, `/${'x'.repeat(511)}`],
    [MANIFEST, { ...app, params: { reference: 'not a tag' } }, 'repo:acme/app'],
  ])('of %s are what the path names, and bounded', (path, given, resource) => {
    refused('GET', path, 403, { ...alice, ...given, denied: 'denied' });
    expect(records.map((record) => record.resource)).toEqual([resource]);
  });
});
