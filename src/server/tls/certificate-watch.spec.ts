import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { type Authority, type Certificate, makeAuthority } from '../../../test/support/certificates.js';
import { eventually, scratchDirectory } from '../../../test/support/processes.js';
import { CertificateWatch } from './certificate-watch.js';
import type { CertificatePair } from './certificate.js';

const HOUR = 3_600_000;

describe('the watch over a certificate', () => {
  let authority: Authority;
  let first: Certificate;
  let second: Certificate;
  let files: { certFile: string; keyFile: string };
  let lines: { event: string; msg: string }[];
  let watch: CertificateWatch | null = null;
  let now: number;

  beforeAll(async () => {
    authority = await makeAuthority();
    [first, second] = [await authority.issue('first'), await authority.issue('second')];
  });

  beforeEach(() => {
    const home = scratchDirectory('watched');
    files = { certFile: path.join(home, 'tls.crt'), keyFile: path.join(home, 'tls.key') };
    write(first);
    lines = [];
    now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
  });

  afterEach(() => {
    watch?.stop();
    jest.restoreAllMocks();
  });

  function write({ cert, key }: Certificate): void {
    writeFileSync(files.certFile, readFileSync(cert));
    writeFileSync(files.keyFile, readFileSync(key));
  }

  async function start(): Promise<CertificateWatch> {
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    watch = await CertificateWatch.start(files, log);
    return watch;
  }

  const heard = (event: string): string[] => lines.filter((line) => line.event === event).map(({ msg }) => msg);

  it('hands on the pair that there is and each that follows, and keeps the last one that worked', async () => {
    const shown: CertificatePair[] = [];
    const watched = await start();
    watched.follow((pair) => void shown.push(pair));
    write(second);
    watched.reload();
    await eventually('the second', () => shown.length === 2);
    expect(shown.map(({ key }) => key)).toEqual([first.key, second.key].map((file) => readFileSync(file, 'utf8')));
    expect(heard('tls.renewed')).toHaveLength(1);
    writeFileSync(files.keyFile, '');
    watched.reload();
    await eventually('a complaint', () => heard('tls.kept').length === 1);
    expect(watched.current).toBe(shown[1]);
  });

  // Its whole life is two days.
  it.each([
    [-48 * HOUR, 'not valid yet'],
    [40 * HOUR, 'expires soon'],
    [49 * HOUR, 'has expired'],
  ])('warns %d ms from now: %s', async (later, problem) => {
    now += later;
    await start();
    expect(heard('tls.expiry')).toEqual([expect.stringContaining(problem)]);
  });

  it('warns of the end once a day, and not of one that is far', async () => {
    const watched = await start();
    const started = now;
    expect(heard('tls.expiry')).toEqual([]);
    for (const [hours, count] of [
      [40, 1],
      [45, 1],
      [65, 2],
    ] as const) {
      now = started + hours * HOUR;
      watched.reload();
      await eventually('it has looked', () => heard('tls.expiry').length === count);
    }
  });
});
