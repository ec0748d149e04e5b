import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Visibility } from '../../src/access/policy.js';
import { previewApp } from '../support/app-preview.js';
import { type Route, routesOf } from '../support/routes.js';
import { CALLER_NAMES, type CallerName } from './matrix/callers.js';
import { Cast, type Place } from './matrix/cast.js';
import { expectedOutcome, STATUS_OF } from './matrix/expectation.js';
import { ACCOUNT_ROWS } from './matrix/account-rows.js';
import { ORGANIZATION_ROWS } from './matrix/organization-rows.js';
import { REGISTRY_ROWS } from './matrix/registry-rows.js';
import { REPOSITORY_ROWS } from './matrix/repository-rows.js';
import type { RouteRow, RouteRows } from './matrix/row.js';

const ROWS: RouteRows = { ...REGISTRY_ROWS, ...REPOSITORY_ROWS, ...ORGANIZATION_ROWS, ...ACCOUNT_ROWS };

const VISIBILITIES = ['public', 'private'] as const satisfies readonly Visibility[];
const routes = await routesOfApp();

async function routesOfApp(): Promise<ReadonlyMap<string, Route>> {
  return routesOf(await previewApp());
}

let cast: Cast;
const shared = new Map<Visibility, Promise<Place>>();

beforeAll(async () => {
  cast = await Cast.of({ ORG_CREATION: 'users' });
}, 120_000);

/** A place that nobody changes is everybody's. */
function placeFor({ changes = false }: RouteRow, visibility: Visibility): Promise<Place> {
  if (changes) return cast.place(visibility);
  const known = shared.get(visibility) ?? cast.place(visibility);
  shared.set(visibility, known);
  return known;
}

/** Of the caller's own upload, where it may have one, else of the owner's. */
async function locationFor({ upload = false }: RouteRow, caller: CallerName, { repository }: Place): Promise<string> {
  if (!upload) return '';
  const path = `/v2/${repository}/blobs/uploads/`;
  const own = await cast.call(caller, 'POST', path);
  return (own.status === 202 ? own : await cast.must('orgOwner', 'POST', path)).need('location');
}

describe('the permission matrix', () => {
  it('has a row for every route, and no row for a route that is gone', () => {
    expect(Object.keys(ROWS).sort()).toEqual([...routes.keys()].sort());
  });

  it('has more than 500 cases', () => {
    expect(cases().length).toBeGreaterThan(500);
  });

  it.each(cases())('%s: %s, %s', async (name, caller, visibility) => {
    const [route, row] = [routes.get(name), ROWS[name]];
    if (!route?.rule || !row) throw new Error(`${name} has no rule or no row`);
    const ruled = expectedOutcome(route.rule, caller, visibility, row.team);
    const outcome = (ruled === 'allow' ? row.except?.[caller] : undefined) ?? ruled;
    const place = await placeFor(row, visibility);
    const location = await locationFor(row, caller, place);
    const { path, ...sent } = await row.request(place, { cast, caller, isAllowed: outcome === 'allow', location });
    const reply = await cast.call(caller, route.method.toUpperCase(), path, sent);
    reply.expect(outcome === 'allow' ? row.success : STATUS_OF[outcome]);
  });
});

/** What is not about a repository has no visibility. */
function cases(): [string, CallerName, Visibility][] {
  return [...routes].flatMap(([name, { rule }]) =>
    VISIBILITIES.filter((visibility) => rule?.kind === 'repository' || visibility === 'private').flatMap((visibility) =>
      CALLER_NAMES.map((caller): [string, CallerName, Visibility] => [name, caller, visibility]),
    ),
  );
}
