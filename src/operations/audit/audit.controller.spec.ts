import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import type { AuditRow } from './audit-events.repository.js';
import { AuditExports, sendLines } from './audit-exports.js';
import type { AuditLogService } from './audit-log.service.js';
import { AuditController } from './audit.controller.js';
import { AuditQueryDto } from './audit.dto.js';

/** Far more than a client takes that does not read. */
const BATCHES = 500;
const ROW: AuditRow = {
  at: '2026-01-02T03:04:05.000000Z',
  id: '0b0e5b8e-6a5c-4c80-9f0f-0f7d4ac2a6c1',
  actor: 'alice',
  actorKey: 'user:7',
  credential: null,
  address: null,
  action: 'repo.update',
  resource: 'repo:acme/app',
  outcome: 'allowed',
  detail: null,
};

let asked: number;
let controller: AuditController;

beforeEach(() => {
  asked = 0;
  const log = {
    filter: () => Promise.resolve(null),
    *batches() {
      for (; asked < BATCHES; asked++) yield Array.from({ length: 100 }, () => ROW);
    },
  };
  controller = new AuditController(log as unknown as AuditLogService, new AuditExports());
});

class Client extends PassThrough {
  status = 0;

  setTimeout(): this {
    return this;
  }

  writeHead(status: number): this {
    this.status = status;
    return this;
  }
}

function exportTo(client: Client): Promise<void> {
  const request = { accepts: () => 'application/x-ndjson', context: { principal: null } } as unknown as Request;
  return controller.readAll(new AuditQueryDto(), request, client as unknown as Response);
}

describe('the export of the audit log', () => {
  it('is every entry, one a line', async () => {
    const client = new Client();
    const sent = exportTo(client);
    let text = '';
    for await (const chunk of client) text += String(chunk);
    await sent;
    expect(client.status).toBe(200);
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(BATCHES * 100);
    expect(JSON.parse(lines[0] ?? '')).toEqual(ROW);
  });

  it('asks for no more than the client takes, and stops when it leaves', async () => {
    const client = new Client();
    const sent = exportTo(client);
    await once(client, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = asked;
    expect(before).toBeLessThan(10);
    client.destroy();
    await expect(sent).rejects.toThrow(/premature close/i);
    expect(asked).toBe(before);
  });

  it('runs twice at once for one caller, and again when one has ended', async () => {
    const clients = [new Client(), new Client(), new Client(), new Client()] as const;
    const sent = clients.slice(0, 2).map((client) => exportTo(client).catch(String));
    await expect(exportTo(clients[2])).rejects.toMatchObject({ condition: 'tooManyRequests' });
    clients[0].destroy();
    await sent[0];
    const again = exportTo(clients[3]).catch(String);
    await once(clients[3], 'readable');
    for (const client of clients) client.destroy();
    await Promise.all([...sent, again]);
  });

  it('ends when its client takes nothing', async () => {
    const row = { ...ROW, detail: { text: 'x'.repeat(10_000) } };
    async function* endless(): AsyncGenerator<AuditRow[], void, void> {
      for (;;) yield await Promise.resolve(Array.from({ length: 200 }, () => row));
    }
    const ended = Promise.withResolvers<unknown>();
    const server = createServer((_, response) => {
      sendLines(endless(), response as unknown as Response, 200).catch(ended.resolve);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await ended.promise).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    socket.destroy();
    server.close();
  });
});
