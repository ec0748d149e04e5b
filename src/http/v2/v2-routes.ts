/** Every path below /v2 that the specification knows, and what may be asked of it. The first row that fits wins. */
const ROUTES: readonly (readonly [path: RegExp, methods: readonly string[]])[] = [
  [/\/manifests\/[^/]+\/?$/, ['HEAD', 'GET', 'PUT', 'DELETE']],
  [/\/blobs\/uploads\/?$/, ['POST']],
  [/\/blobs\/uploads\/[^/]+\/?$/, ['HEAD', 'GET', 'PATCH', 'PUT', 'DELETE']],
  [/\/blobs\/[^/]+\/?$/, ['HEAD', 'GET', 'DELETE']],
  [/\/tags\/list\/?$/, ['HEAD', 'GET']],
  [/\/referrers\/[^/]+\/?$/, ['HEAD', 'GET']],
  [/^\/v2\/_catalog\/?$/, ['HEAD', 'GET']],
  [/^\/v2\/?$/, ['HEAD', 'GET']],
];

/** The methods that a known path does take, when `method` is none of them; `null` when there is nothing to object to. */
export function methodsInstead(method: string, url: string): readonly string[] | null {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  const methods = ROUTES.find(([pattern]) => pattern.test(path))?.[1];
  return methods === undefined || methods.includes(method) ? null : methods;
}
