import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { principalKey } from '../../access/principal.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { AuditRow } from './audit-events.repository.js';
import { AuditEventDto } from './audit.dto.js';

export const NDJSON = 'application/x-ndjson';
/** A batch of each waits in memory for its client. */
const AT_ONCE = 2;
/** How long a client may take nothing; milliseconds. */
const IDLE_MS = 30_000;

type Batches = AsyncGenerator<AuditRow[], void, void>;

/** Sends the audit log, an entry a line; each process counts for itself. */
@Injectable()
export class AuditExports {
  private readonly running = new Map<string, number>();

  /** Throws `tooManyRequests` for a principal with exports under way. */
  async send(batches: Batches, { context }: Request, response: Response): Promise<void> {
    const principal = context.principal === null ? '' : principalKey(context.principal);
    const before = this.running.get(principal) ?? 0;
    if (before >= AT_ONCE) {
      const detail = `at most ${AT_ONCE} exports at once`;
      throw new ApiError('tooManyRequests', detail, { headers: { 'Retry-After': '30' } });
    }
    this.running.set(principal, before + 1);
    try {
      await sendLines(batches, response);
    } finally {
      const left = (this.running.get(principal) ?? 1) - 1;
      if (left === 0) this.running.delete(principal);
      else this.running.set(principal, left);
    }
  }
}

/** Asks for the next batch when the client has taken the one before, and for none once it has left. */
export async function sendLines(batches: Batches, response: Response, idleMs = IDLE_MS): Promise<void> {
  const first = await batches.next(); // what fails now is still an ordinary answer
  response.writeHead(200, { 'Content-Type': NDJSON, 'Cache-Control': 'no-store' });
  response.setTimeout(idleMs, () => response.destroy());
  await pipeline(Readable.from(lines(first, batches), { objectMode: false }), response);
}

async function* lines(first: IteratorResult<AuditRow[], void>, rest: Batches): AsyncGenerator<string, void, void> {
  for (let batch = first; batch.done !== true; batch = await rest.next()) {
    const text = batch.value.map((row) => `${JSON.stringify(new AuditEventDto(row))}\n`).join('');
    if (text !== '') yield text;
  }
}
