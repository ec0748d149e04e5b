// needs: schemathesis
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { run, scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';

const EXAMPLES = 25;
/** What each answer is held against. The document names every status, and has no default that would cover the rest. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

describe('requests that are made from the OpenAPI document', () => {
  let registry: Registry;
  let alice: RegistryClient;

  beforeAll(async () => {
    registry = await startRegistry({ env: { ACCESS_TOKEN_SECONDS: '3600' } });
    alice = await signUp(registry.client, 'alice');
    // What the document's examples name.
    await registry.client.pushImage('admin/app', 'latest');
    await alice.pushImage('alice/app', 'latest');
    await alice.api('POST', '/api/v1/orgs', { name: 'acme' }).expect(201);
    await alice.pushImage('acme/app', 'latest');
  }, 120_000);

  it.each([
    ['an administrator', () => registry.client],
    ['a user', () => alice],
    ['nobody', () => null],
  ])(
    'by %s find no 5xx, no status that is not in it and no answer of another shape',
    async (who, whose) => {
      const client = whose();
      const token = client && (await sessionOf(client));
      const count = await fuzz(registry.url, token);
      process.stderr.write(`  ${who}: ${count}\n`);
      expect(count).toMatch(/^\d+ generated, \d+ passed/);
    },
    300_000,
  );
});

/** Its password is not in it: guesses at the password of the account cannot shut the run out. */
async function sessionOf({ options, ...client }: RegistryClient): Promise<string> {
  const { username, password } = options;
  const reply = await fetch(`${client.base.origin}/api/v1/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  return ((await reply.json()) as { access_token: string }).access_token;
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
  });
  return /^ *(\d+ generated.*)$/m.exec(stdout)?.[1] ?? stdout;
}
