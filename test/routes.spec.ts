import { beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ACCESS_RULE } from '../src/http/access.decorator.js';
import { createOpenApiDocument } from '../src/http/openapi.js';
import { previewApp } from './support/app-preview.js';

interface Route {
  readonly method: string;
  readonly paths: readonly string[];
  readonly rule: unknown;
}

let routes: Map<string, Route>;
let document: OpenAPIObject;

beforeAll(async () => {
  const app = await previewApp();
  routes = routesOf(app);
  document = createOpenApiDocument(app);
});

/** Every method of every controller that Nest would route, by `Controller.method`. */
function routesOf(app: INestApplication): Map<string, Route> {
  const found = new Map<string, Route>();
  const reflector = new Reflector();
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  for (const { metatype, name } of controllers) {
    if (typeof metatype !== 'function') throw new Error(`${name} is no class`);
    const prototype = metatype.prototype as Record<string, () => unknown>;
    const prefix = reflector.get<string>(PATH_METADATA, metatype);
    for (const key of new MetadataScanner().getAllMethodNames(prototype)) {
      const handler = prototype[key];
      const own = handler && reflector.get<string | string[] | undefined>(PATH_METADATA, handler);
      if (!handler || own === undefined) continue;
      found.set(`${name}.${key}`, {
        method: RequestMethod[reflector.get<RequestMethod>(METHOD_METADATA, handler)].toLowerCase(),
        paths: [own].flat().map((path) => openApiPath(`${prefix}/${path}`)),
        rule: reflector.getAllAndOverride(ACCESS_RULE, [handler, metatype]),
      });
    }
  }
  return found;
}

/** `v2/*name/blobs/:digest` as OpenAPI writes it. */
function openApiPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return `/${parts.map((part) => part.replace(/^[:*](.+)$/, '{$1}')).join('/')}`;
}

describe('routes', () => {
  it('are found at all', () => {
    expect(routes.size).toBeGreaterThan(20);
    expect(routes.get('ManifestsController.get')?.paths).toEqual(['/v2/{name}/manifests/{reference}']);
  });

  it('declare who may, each of them', () => {
    const open = [...routes].filter(([, { rule }]) => rule === undefined).map(([name]) => name);
    expect(open).toEqual([]);
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
