// needs: schemathesis
// long: thousands of requests, one after the other
import { beforeAll, describe, expect, it } from '@jest/globals';
import { useWorld } from '../conformance/world.js';
import { run, scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { isSoak } from '../support/soak.js';
import { query } from './left-behind.js';

/** For each operation, besides those that cover its schema. */
const EXAMPLES = isSoak ? 50 : 5;
const MINUTES = isSoak ? 30 : 5;
/** What each answer is held against. The document names every status, and has no default that would cover the rest. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

// Once, in the first setting: the document is the same in all of them.
const world = useWorld({ ACCESS_TOKEN_SECONDS: '3600' });

beforeAll(async () => {
  // What the document's examples name.
  await world.admin.pushImage('admin/app', 'latest');
  await world.alice.pushImage('alice/app', 'latest');
  await world.alice.api('POST', '/api/v1/orgs', { name: 'acme' }).expect(201);
  await world.alice.pushImage('acme/app', 'latest');
}, 60_000);

describe('requests that are made from the OpenAPI document', () => {
  // An administrator's requests give users other passwords, so theirs come first.
  it.each([
    ['a user', () => world.alice],
    ['an administrator', () => world.admin],
    ['nobody', () => null],
  ])(
    'by %s find no 5xx, no status that is not in it and no answer of another shape',
    async (who, whose) => {
      const client = whose();
      const organizations = await organizationCount();
      const count = await fuzz(world.registry.url, client && (await sessionOf(client)));
      const made = (await organizationCount()) - organizations;
      process.stderr.write(`  ${who}: ${count}; ${made} organizations made\n`);
      expect(count).toMatch(/^\d+ generated, \d+ passed/);
      // Whoever may make things has made some: the requests were more than refusals.
      expect(made > 0).toBe(client !== null);
    },
    MINUTES * 60_000,
  );
});

async function organizationCount(): Promise<number> {
  return (await query(world.registry, 'SELECT FROM orgs')).length;
}

/** Its password is not in it: guesses at the password of the account cannot shut the run out. */
async function sessionOf({ options: { username, password } }: RegistryClient): Promise<string> {
  const reply = await world.anonymous.raw('POST', '/api/v1/auth/token', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  return reply.expect(200).json<{ access_token: string }>().access_token;
}

/** The program's count of requests. Throws, with all that it printed, when it found anything. */
async function fuzz(url: string, token: string | null): Promise<string> {
  const authorization = token === null ? [] : ['--header', `Authorization: Bearer ${token}`];
  const options = [
    ...['--checks', CHECKS.join(',')],
    ...['--phases', 'examples,coverage,fuzzing', '--max-examples', String(EXAMPLES)],
    ...['--seed', '1', '--generation-database', 'none', '--suppress-health-check', 'all', '--warnings', 'off'],
    ...['--request-timeout', '30', '--continue-on-failure', '--no-color'],
  ];
  const { stdout } = await run('schemathesis', ['run', `${url}/api/docs-json`, ...authorization, ...options], {
    cwd: scratchDirectory('fuzz'),
    timeoutMs: MINUTES * 60_000 - 10_000, // a little less than the test has
  });
  return /^ *(\d+ generated.*)$/m.exec(stdout)?.[1] ?? stdout;
}
