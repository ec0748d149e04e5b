import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createOpenApiDocument } from '../src/http/openapi/openapi.js';
import { previewApp } from './support/app-preview.js';

const FILE = new URL('../docs/openapi.json', import.meta.url);

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const app = await previewApp();
const document = createOpenApiDocument(app);
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Operation>).map(
    ([method, operation]) => [`${method} ${path}`, operation] as const,
  ),
);

describe('docs/openapi.json', () => {
  it('is what the routes say: "npm run build && npm run openapi" writes it', () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it.each(operations)('%s has a summary and says what its answers are', (_route, { summary, responses }) => {
    expect(summary).toEqual(expect.stringMatching(/\w/));
    expect(Object.values(responses).length).toBeGreaterThan(1);
    // What is not named is a bug: the fuzzing of the document (test/clients/schemathesis.spec.ts) finds it.
    expect(responses['default']).toBeUndefined();
  });

  it('has an example or a text for each answer of the registry, and nothing of how it came about', () => {
    const registry = operations.filter(([route]) => route.includes(' /v2'));
    expect(registry.map(([, { tags }]) => tags)).toEqual(registry.map(() => ['registry']));
    expect(JSON.stringify(registry)).not.toContain('x-registry-operation');
  });

  it('asks for no credentials where none are needed, and for either kind elsewhere', () => {
    const open = operations.filter(([, { security }]) => security?.some((one) => Object.keys(one).length === 0));
    expect(open.map(([route]) => route).sort()).toEqual([
      'get /api/v1/auth/token',
      'get /api/v1/health',
      'get /api/v1/repos',
      'get /api/v1/repos/{namespace}',
      'get /livez',
      'get /readyz',
      'post /api/v1/auth/logout',
      'post /api/v1/auth/token',
      'post /api/v1/users',
    ]);
    expect(document.security).toEqual([{ bearer: [] }, { basic: [] }]);
  });

  it('refers to nothing that it does not define', () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(references.filter((name) => name === undefined || !document.components?.schemas?.[name])).toEqual([]);
  });
});
