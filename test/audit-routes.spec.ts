import { beforeAll, describe, expect, it } from '@jest/globals';
import { AUDITED_ROUTES, routeKey } from '../src/operations/audit/audit-actions.js';
import { EVENTS } from '../src/events/event-table.js';
import { createOpenApiDocument } from '../src/http/openapi/openapi.js';
import { previewApp } from './support/app-preview.js';

const WRITES: ReadonlySet<string> = new Set(['post', 'put', 'patch', 'delete']);

let keys: { key: string; isWrite: boolean }[];

beforeAll(async () => {
  const { paths } = createOpenApiDocument(await previewApp()); // routes.spec.ts sees that every route is in it
  keys = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => ({ key: routeKey(method.toUpperCase(), path), isWrite: WRITES.has(method) })),
  );
});

describe('the audit log', () => {
  it('has a name for what each route does that writes', () => {
    const nameless = keys.filter(({ key, isWrite }) => isWrite && !(key in AUDITED_ROUTES)).map(({ key }) => key);
    expect(nameless).toEqual([]);
  });

  it('has the names that the table of events has, for what a transaction tells', () => {
    const actions = new Set<string | null>(Object.values(EVENTS).map(({ action }) => action));
    const own = Object.values(AUDITED_ROUTES).flatMap(({ action, success }) =>
      success === 'transaction' && !actions.has(action) ? [action] : [],
    );
    // Many deletions at once have the entries of each; a direct upload is activity.
    expect([...new Set(own)].sort()).toEqual(['blob.push', 'content.delete']);
  });

  it('names no route that is gone', () => {
    const known = new Set(keys.map(({ key }) => key));
    expect(Object.keys(AUDITED_ROUTES).filter((key) => !known.has(key))).toEqual([]);
  });

  it('calls a route the same in either spelling of a repository, as OpenAPI and as Express write it', () => {
    const key = 'PATCH /api/v1/repos/{namespace}/{name}/permissions';
    expect(routeKey('PATCH', '/api/v1/repos/:namespace/:name/permissions')).toBe(key);
    expect(routeKey('PATCH', '/api/v1/repos/:namespace/*name/-/permissions')).toBe(key);
    expect(routeKey('PATCH', '/api/v1/repos/{namespace}/{name}/-/permissions')).toBe(key);
    expect(routeKey('HEAD', '/v2/*name/blobs/:digest')).toBe('GET /v2/{name}/blobs/{digest}');
  });
});
