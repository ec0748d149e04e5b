import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { schemaErrors } from '../../test/support/event-schemas.js';
import type { EventRow } from './event-row.js';
import { EVENTS } from './event-table.js';

const PAGE = new URL('../../docs/design/events.md', import.meta.url);
const rows: [string, EventRow][] = Object.entries(EVENTS);

describe('the table of events', () => {
  it('is the one in the documents', () => {
    const lines = readFileSync(PAGE, 'utf8').split('\n');
    const first = lines.findIndex((line) => line.startsWith('| Event '));
    const table = lines.slice(first + 2, lines.indexOf('', first));
    const cells = table.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(cells).toEqual(
      rows.map(([type, { version, action, data }]) => [
        `\`${type}\``,
        `${version}`,
        action === null ? '' : `\`${action}\``,
        Object.keys(data.properties)
          .map((name) => (data.required.includes(name) ? `\`${name}\`` : `\`${name}\`?`))
          .join(', '),
      ]),
    );
  });

  it.each(rows)('%s has a name of the past, a version and a detail that is in its data', (type, row) => {
    expect(type).toMatch(/^[a-z]+(\.[a-z]+)*\.([a-z]+ed|reset)$/);
    expect(row.version).toBeGreaterThan(0);
    expect(Object.keys(row.data.properties)).toEqual(expect.arrayContaining([...(row.detail ?? [])]));
  });

  it('has schemas that find a missing field, a wrong one and one too many', () => {
    const event = { namespaceId: 1, repository: null, resource: 'x', version: 1 };
    const actor = { principal: 'user:1', credential: 'password', address: null };
    const digest = `sha256:${'0'.repeat(64)}`;
    const moved = (data: object) => schemaErrors([{ ...event, actor, type: 'tag.moved', data }]);
    expect(moved({ tag: 'v1', digest, previous: null })).toEqual([]);
    expect(moved({ tag: 'v1', digest })).toHaveLength(1);
    expect(moved({ tag: 'v1', digest: 'sha256:0', previous: null })).toHaveLength(1);
    expect(moved({ tag: 'v1', digest, previous: null, more: 1 })).toHaveLength(1);
    expect(schemaErrors([{ ...event, actor, type: 'tag.shown', data: {} }])).toHaveLength(1);
  });
});
