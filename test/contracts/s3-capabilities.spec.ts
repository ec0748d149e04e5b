import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshBucket, lookUpLocally, s3Kind } from '../support/s3.js';
import { CAPABILITIES, capabilitiesOf } from './s3-capabilities.js';

const FILE = join(import.meta.dirname, '../../docs/storage.md');
const TABLE = /(?<=<!-- capabilities -->\n\n)[^]*(?=\n\n<!-- \/capabilities -->)/;
const COLUMNS = { versitygw: 'versitygw', minio: 'MinIO', other: process.env['TEST_S3_NAME'] ?? 'other' } as const;

/** The document's table: a column a server, a row a capability. */
function read(): { headers: string[]; rows: string[][] } {
  const lines = (TABLE.exec(readFileSync(FILE, 'utf8'))?.[0] ?? '').split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const [headers = [], , ...rows] = lines;
  return { headers, rows };
}

describe('the table of what S3 servers can do', () => {
  const column = COLUMNS[s3Kind()];
  let found: boolean[];
  beforeAll(async () => {
    lookUpLocally();
    found = await capabilitiesOf(await freshBucket());
    if (process.env['UPDATE_EXAMPLES'] === '1') write(column, found);
  }, 60_000);

  it('has this server as it is (UPDATE_EXAMPLES=1 writes it)', () => {
    const { headers, rows } = read();
    const at = headers.indexOf(column);
    expect(rows.map((row) => [row[0], row[at]])).toEqual(
      CAPABILITIES.map(({ name }, index) => [name, found[index] ? 'yes' : 'no']),
    );
  });

  it('says yes wherever the registry depends on it', () => {
    const missing = CAPABILITIES.filter(({ isNeeded }, index) => isNeeded && !found[index]);
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

function write(column: string, found: readonly boolean[]): void {
  const { headers, rows } = read();
  const names = headers.length > 1 ? headers : ['', column];
  if (!names.includes(column)) names.push(column);
  const at = names.indexOf(column);
  const cells = CAPABILITIES.map(({ name }, index) => {
    const known = rows.find(([first]) => first === name) ?? [];
    return names.map((_, place) => {
      if (place === 0) return name;
      return place === at ? (found[index] ? 'yes' : 'no') : (known[place] ?? 'not tried');
    });
  });
  const widths = names.map((name, place) => Math.max(3, name.length, ...cells.map((row) => row[place]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const table = [line(names), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
  writeFileSync(
    FILE,
    readFileSync(FILE, 'utf8').replace(TABLE, () => table),
  );
}
