import { beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { createOpenApiDocument } from '../src/http/openapi/openapi.js';
import { previewApp } from './support/app-preview.js';
import { type Route, routesOf } from './support/routes.js';

let routes: Map<string, Route>;
let document: OpenAPIObject;

beforeAll(async () => {
  const app = await previewApp();
  routes = routesOf(app);
  document = createOpenApiDocument(app);
});

describe('routes', () => {
  it('are found at all', () => {
    expect(routes.size).toBeGreaterThan(20);
    expect(routes.get('ManifestsController.get')?.paths).toEqual(['/v2/{name}/manifests/{reference}']);
  });

  it('declare who may, each of them', () => {
    const open = [...routes].filter(([, { rule }]) => rule === undefined).map(([name]) => name);
    expect(open).toEqual([]);
  });

  it('are counted by some limit, except for the probes', () => {
    const free = [...routes.values()].filter(({ rule }) => rule?.kind === 'public' && rule.limit === 'none');
    expect(free.flatMap(({ paths }) => paths).sort()).toEqual(['/api/v1/health', '/livez', '/readyz']);
  });

  it('appear in the OpenAPI document, each under all its paths', () => {
    const missing = [...routes].flatMap(([name, { method, paths }]) =>
      paths
        .filter((path) => !(document.paths[path] && method in document.paths[path]))
        .map((path) => `${name}: ${method} ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it('stand below /api/v1 or /v2, except for the probes', () => {
    const elsewhere = [...routes.values()]
      .flatMap(({ paths }) => paths)
      .filter((path) => !/^\/(api\/v1|v2)(\/|$)/.test(path));
    expect(elsewhere.sort()).toEqual(['/livez', '/readyz']);
  });
});
