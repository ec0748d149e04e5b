import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import type { AuditRow } from './audit-events.repository.js';
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
  controller = new AuditController(log as unknown as AuditLogService);
});

class Client extends PassThrough {
  status = 0;

  writeHead(status: number): this {
    this.status = status;
    return this;
  }
}

function exportTo(client: Client): Promise<void> {
  const request = { accepts: () => 'application/x-ndjson' } as unknown as Request;
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
});
