// needs: openssl
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { SlowUpload } from '../bounds/slow-transfer.js';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.js';
import { eventually } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';
import type { Registry } from '../support/registry.js';
import { mountedSecret, type PlainFiles, plainFiles, type TlsFiles } from './tls-files.js';
import { startWithTls } from './tls-node.js';

jest.setTimeout(120_000);

let authority: Authority;
let ca: string;

beforeAll(async () => {
  authority = await makeAuthority();
  ca = readFileSync(authority.ca, 'utf8');
});

let names = 0;
const issue = (): Promise<Certificate> => authority.issue(`registry-${++names}`);
const serialOf = ({ cert }: Certificate): string => new X509Certificate(readFileSync(cert)).serialNumber;

let requests = 0;
/** The certificate that a new connection is shown, and the id of the request that it was made for. */
async function shown({ url }: Registry): Promise<{ serial: string; id: string }> {
  const id = `look-${String(++requests).padStart(6, '0')}`;
  const agent = new https.Agent({ maxCachedSessions: 0 });
  const request = https.get(`${url}/nothing`, { agent, ca, headers: { 'user-agent': id } });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { socket: TLSSocket }];
  const serial = response.socket.getPeerX509Certificate()?.serialNumber ?? '';
  response.resume();
  agent.destroy();
  return { serial, id };
}

function showsEventually(node: Registry, pair: Certificate): Promise<void> {
  return eventually('the new certificate', async () => (await shown(node)).serial === serialOf(pair));
}

function named({ events }: Registry, event: string): Record<string, unknown>[] {
  return events().filter((line) => line['event'] === event);
}

/** Requests all the time, over a connection that stays and over a new one each. */
class SteadyLoad {
  answered = 0;
  readonly failed: unknown[] = [];
  private isOver = false;
  private readonly running: Promise<unknown>;

  constructor(private readonly node: Registry) {
    const kept = new RegistryClient({ url: node.url, ca });
    this.running = Promise.all([
      this.repeat(() => kept.raw('GET', '/livez').expect(200)),
      this.repeat(() => shown(this.node)),
    ]).finally(() => {
      kept.close();
    });
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async repeat(ask: () => PromiseLike<unknown>): Promise<void> {
    while (!this.isOver) {
      await Promise.resolve(ask()).then(
        () => (this.answered += 1),
        (error: unknown) => this.failed.push(error),
      );
    }
  }
}

const WAYS: readonly [string, (first: Certificate) => TlsFiles, string][] = [
  ['the links of a mounted Secret are turned', mountedSecret, '1'],
  ['the certificate and then its key are replaced', plainFiles, '1'],
  ['the links of a mounted Secret are turned', mountedSecret, '2'],
];

describe.each(WAYS)('when %s, with %#', (_, place, workers) => {
  it(`WORKERS=${workers}: new connections get the new certificate, and nothing that runs is lost`, async () => {
    const [first, second] = [await issue(), await issue()];
    const files = place(first);
    const node = await startWithTls(ca, { ...files.env, WORKERS: workers });
    expect((await shown(node)).serial).toBe(serialOf(first));
    const upload = await SlowUpload.begin(node.client, 'admin/app', Buffer.from('begun, '));
    const load = new SteadyLoad(node);

    files.renew(second);
    await showsEventually(node, second);
    const seen = new Set<unknown>();
    await eventually('each process has shown it', async () => {
      const { serial, id } = await shown(node);
      await eventually('the request is in the log', () => node.events().some(({ agent }) => agent === id));
      if (serial === serialOf(second)) seen.add(node.events().find(({ agent }) => agent === id)?.['worker']);
      return seen.size === Number(workers);
    });
    const again = await Promise.all(Array.from({ length: 20 }, () => shown(node)));
    expect(new Set(again.map(({ serial }) => serial))).toEqual(new Set([serialOf(second)]));

    upload.send(Buffer.from('carried on, '));
    await upload.finish(Buffer.from('and ended'));
    await load.end();
    expect(load.failed).toEqual([]);
    expect(load.answered).toBeGreaterThan(10);
    expect(named(node, 'tls.renewed')).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(/DNS:localhost, valid until \d{4}-/) }),
    ]);
    expect(named(node, 'tls.kept')).toEqual([]);
    await node.stop();
  });
});

describe('a node whose files do not fit together', () => {
  let node: Registry;
  let files: PlainFiles;
  let [first, second]: Certificate[] = [];

  beforeAll(async () => {
    [first, second] = [await issue(), await issue()];
    files = plainFiles(first);
    node = await startWithTls(ca, { ...files.env, WORKERS: '2' });
  }, 120_000);

  it('keeps the pair that it has, says so once, and takes the new one when it is whole', async () => {
    files.replace('cert', second?.cert ?? '');
    await eventually('the complaint', () => named(node, 'tls.kept').length === 1);
    expect(named(node, 'tls.kept')[0]?.['msg']).toMatch(/TLS_KEY_FILE is not the key of/);
    expect((await shown(node)).serial).toBe(serialOf(first as Certificate));
    files.replace('key', second?.key ?? '');
    await showsEventually(node, second as Certificate);
    expect(named(node, 'tls.kept')).toHaveLength(1);
    expect(node.logs()).not.toContain('PRIVATE KEY');
  });

  it('goes on after SIGHUP, which has it look at once, and a worker that is replaced has the pair too', async () => {
    const third = await issue();
    files.replace('cert', third.cert);
    process.kill(node.pid, 'SIGHUP');
    await eventually('the complaint', () => named(node, 'tls.kept').length === 2);
    const children = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8').trim().split(' ').map(Number);
    const worker = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.js'));
    process.kill(worker ?? 0, 'SIGKILL');
    await eventually('another takes its place', () => named(node, 'worker.listening').length === 1);
    for (let look = 0; look < 20; look++) expect((await shown(node)).serial).toBe(serialOf(second as Certificate));
    files.replace('key', third.key);
    process.kill(node.pid, 'SIGHUP');
    await showsEventually(node, third);
    await node.stop();
    expect(await node.exited).toBe(0);
  });
});
