// needs: openssl
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { writeImage } from '../clients/oci-layout.js';
import { type Authority, makeAuthority } from '../support/certificates.js';
import { scratchDirectory } from '../support/processes.js';
import { aerugo } from './cli.js';

const PASSWORD = 'hunter2-hunter2';
const BASIC = `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`;

/** What a registry of somebody else can make of whoever pushes to it. */
describe('the password of aerugo push', () => {
  let authority: Authority;
  let layout: string;
  const servers: Server[] = [];
  /** Who was told what. */
  let told: [string, string | undefined][] = [];

  beforeAll(async () => {
    authority = await makeAuthority();
    layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
  });
  afterAll(() => {
    for (const server of servers) server.close().closeAllConnections();
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Asks everybody for a token of the realm. */
  const asking = (name: string, realm: () => string): Parameters<typeof createServer>[1] => {
    return ({ headers }, reply) => {
      told.push([name, headers.authorization]);
      reply.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${realm()}",service="it"` }).end();
    };
  };

  /** As a name of another machine, so with TLS. */
  const push = (port: number) =>
    aerugo(['push', layout, `127.1:${port}/acme/app:1`, '--username', 'me', '--password-stdin'], {
      input: PASSWORD,
      env: { NODE_EXTRA_CA_CERTS: authority.ca },
    });

  it('is not sent without TLS where the registry has it', async () => {
    told = [];
    const realm = await listen(createServer(asking('realm', () => '')));
    const { cert, key } = await authority.issue('registry');
    const options = { cert: readFileSync(cert), key: readFileSync(key) };
    const port = await listen(
      createTlsServer(
        options,
        asking('registry', () => `http://127.0.0.1:${realm}/token`),
      ),
    );
    const { code, stderr } = await push(port);
    expect({ code, told }).toEqual({ code: 3, told: [['registry', undefined]] });
    expect(stderr).toContain('without TLS');
    expect(stderr).not.toContain(PASSWORD);
  });

  it('is not sent without TLS across a network because the registry is on this machine', async () => {
    told = [];
    const realm = await listen(createServer(asking('realm', () => '')));
    const port = await listen(createServer(asking('registry', () => `http://0.0.0.0:${realm}/token`)));
    const { code, stderr } = await aerugo(
      ['push', layout, `localhost:${port}/acme/app:1`, '--username', 'me', '--password-stdin'],
      { input: PASSWORD },
    );
    expect({ code, told }).toEqual({ code: 3, told: [['registry', undefined]] });
    expect(stderr).toContain('without TLS');
  });

  it('goes to no realm that the host of an upload names', async () => {
    told = [];
    const evil: number = await listen(createServer(asking('evil', () => `http://127.0.0.1:${evil}/token`)));
    const registry = createServer(({ method, url, headers }, reply) => {
      told.push(['registry', headers.authorization]);
      if (method === 'HEAD') reply.writeHead(404).end();
      else if (url === '/v2/')
        reply.writeHead(headers.authorization ? 200 : 401, { 'WWW-Authenticate': 'Basic' }).end();
      else reply.writeHead(202, { Location: `http://127.0.0.1:${evil}/upload` }).end();
    });
    const port = await listen(registry);
    const { code } = await aerugo(
      ['push', layout, `127.0.0.1:${port}/acme/app:1`, '--no-direct', '--username', 'me', '--password-stdin'],
      { input: PASSWORD },
    );
    expect(code).toBe(3);
    const sent = new Set(told.map(([name, authorization]) => `${name} ${authorization === BASIC ? 'yes' : 'no'}`));
    expect([...sent].sort()).toEqual(['evil no', 'registry no', 'registry yes']);
  });
});
