import { beforeAll, describe, expect, it } from '@jest/globals';
import { EVENTS } from '../src/events/event-table.js';
import { previewApp } from './support/app-preview.js';
import { type Route, routesOf } from './support/routes.js';

const WRITES: ReadonlySet<string> = new Set(['post', 'put', 'patch', 'delete']);

let routes: Map<string, Route>;

beforeAll(async () => {
  routes = routesOf(await previewApp());
});

describe('the audit log', () => {
  it('has a name for what each route does that writes', () => {
    const nameless = [...routes].filter(([, { method, audited }]) => WRITES.has(method) && !audited);
    expect(nameless.map(([handler]) => handler)).toEqual([]);
  });

  it('has the names that the table of events has, for what a transaction tells', () => {
    const actions = new Set<string | null>(Object.values(EVENTS).map(({ action }) => action));
    const own = [...routes.values()].flatMap(({ audited }) =>
      audited?.success === 'transaction' && !actions.has(audited.action) ? [audited.action] : [],
    );
    // Many deletions at once have the entries of each; a direct upload is activity.
    expect([...new Set(own)].sort()).toEqual(['blob.push', 'content.delete']);
  });

  it('has entries of these reads: pulls, and reads that say who was curious', () => {
    const reads = [...routes.values()].filter(({ method, audited }) => audited && !WRITES.has(method));
    expect(reads.map(({ method, audited }) => `${method} ${audited?.action ?? ''}`).sort()).toEqual([
      'get audit.read',
      'get audit.read',
      'get blob.pull',
      'get manifest.pull',
      'get session.create',
      'head blob.pull',
      'head manifest.pull',
    ]);
  });
});
