import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EVENTS } from '../../src/events/event-table.js';
import { previewApp } from '../support/app-preview.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startRegistry } from '../support/registry.js';
import { routesOf } from '../support/routes.js';
import { freshBucket } from '../support/s3.js';
import { newUser, walkAccounts, walkCredentials, walkEnds } from './event-walk/account-steps.js';
import { walkBlobs, walkDirectUploads, walkManifests, walkRepositories } from './event-walk/content-steps.js';
import {
  walkMembers,
  walkOrganization,
  walkOrganizationEnd,
  walkRobots,
  walkTeams,
} from './event-walk/organization-steps.js';
import { Walk } from './event-walk/walk.js';

const [MAIN, READ_EVENTS] = ['../../dist/src/main.js', '../support/read-events.mjs'].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
) as [string, string];

const WRITES: ReadonlySet<string> = new Set(['post', 'put', 'patch', 'delete']);

let walk: Walk;
let people: { alice: RegistryClient; bob: RegistryClient };

beforeAll(async () => {
  // Direct uploads need a store that signs requests.
  const registry = await startRegistry({
    store: await freshBucket(),
    env: { SIGN_UP: 'invite', ORG_CREATION: 'users' },
    program: [`--import=${path.resolve(READ_EVENTS)}`, MAIN],
  });
  walk = new Walk({ ...registry, client: registry.client.as(registry.username, registry.password, 'basic') });
  people = { alice: await newUser(walk, 'alice'), bob: await newUser(walk, 'bob') };
}, 90_000);

describe('a walk through every route that writes', () => {
  it('manages accounts', () => walkAccounts(walk), 60_000);
  it('logs in and out, and makes keys', () => walkCredentials(walk), 60_000);
  it('makes an organization', () => walkOrganization(walk, people), 60_000);
  it('changes its members', () => walkMembers(walk, people), 60_000);
  it('changes its teams', () => walkTeams(walk, people), 60_000);
  it('changes its robots', () => walkRobots(walk, people), 60_000);
  it('changes repositories', () => walkRepositories(walk, people), 60_000);
  it('pushes and deletes blobs', () => walkBlobs(walk, people), 60_000);
  it('uploads directly', () => walkDirectUploads(walk, people), 60_000);
  it('pushes and deletes manifests', () => walkManifests(walk, people), 60_000);
  it('ends the organization', () => walkOrganizationEnd(walk, people), 60_000);
  it('ends accounts', () => walkEnds(walk), 60_000);

  it('has left out no route that writes, and taken none that does not', async () => {
    const writes = [...routesOf(await previewApp()).values()].filter(
      ({ method, audited }) => WRITES.has(method) || audited?.success === 'transaction',
    );
    const keys = writes.map(({ method, paths }) => `${method.toUpperCase()} ${String(paths[0])}`);
    expect([...walk.routes].sort()).toEqual([...new Set(keys)].sort());
  });

  it('has found exactly the events of the table', () => {
    expect([...walk.types].sort()).toEqual(Object.keys(EVENTS).sort());
  });
});
