import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { ACCESS_RULE, type AccessRule } from '../../src/http/guards/access.decorator.js';
import { AUDITED_ROUTE, type AuditedRoute } from '../../src/http/guards/audited.decorator.js';

export interface Route {
  readonly method: string;
  /** As OpenAPI writes them. */
  readonly paths: readonly string[];
  /** Absent on a route that forgot it. */
  readonly rule: AccessRule | undefined;
  readonly audited: AuditedRoute | undefined;
}

/** Every method of every controller that Nest would route, by `Controller.method`. */
export function routesOf(app: INestApplication): Map<string, Route> {
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
        rule: reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [handler, metatype]),
        audited: reflector.get<AuditedRoute | undefined>(AUDITED_ROUTE, handler),
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
