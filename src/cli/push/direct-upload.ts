import { createHash } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../oci/digest.js';
import { isJsonObject } from '../../oci/json-document.js';
import { CliError } from '../exit-codes.js';
import { type Connection, isUnreachable } from './connection.js';
import { openSlice } from './file-slice.js';
import { addressOf, type HttpReply, send } from './http.js';
import type { ImageBlob } from './image.js';
import { Meter } from './meter.js';
import type { Progress } from './progress.js';
import { readJson, reasonOf } from './reason.js';
import { inParallel, mayPass, TryLater, withRetries } from './retry.js';
import { adviseOnTrust } from './untrusted.js';

/** Bytes: from here on a blob goes in parts, several at a time. */
export const PARTS_FROM = 64 << 20;
const PARTS_AT_ONCE = 4;
const POLL_MS = 500;

interface Signed {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

interface Started {
  readonly state?: string;
  readonly put?: unknown;
  readonly parts?: unknown;
}

interface Part {
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

/**
 * `too large`: the way to the store takes no body of this size, send it in parts. `unavailable`: this registry, or the
 * way to its store, takes no direct uploads; push through the registry.
 */
export type DirectOutcome = 'done' | 'held' | 'too large' | 'unavailable';

/** A proxy before the store limits bodies. */
class BodyTooLarge extends CliError {}

/** The bytes go to the store itself (docs/design/uploads.md); the registry is told before and after. */
export class DirectUpload {
  private readonly path: string;

  constructor(
    private readonly connection: Connection,
    private readonly blob: ImageBlob,
    private readonly progress: Progress,
    private readonly partsFrom: number,
  ) {
    const [namespace = '', ...name] = connection.target.repository.split('/');
    this.path = `/api/v1/repos/${namespace}/${encodeURIComponent(name.join('/'))}/blobs/uploads`;
  }

  async run(): Promise<DirectOutcome> {
    const { digest, size } = this.blob;
    const announced = { digest, size, multipart: size >= this.partsFrom };
    const reply = await this.post(this.path, announced);
    const started = readJson(reply.body) as Started;
    if (reply.status === 200 && started.state === 'done') return 'held';
    const { location } = reply.headers;
    // Another registry, a store that takes none, or a refusal that the usual way words for clients.
    if (reply.status !== 201 || location === undefined) return 'unavailable';
    try {
      if (started.put) await this.sendWhole(this.readSigned(started.put));
      else if (started.parts) await this.sendParts(location, partsOf(this.blob, started.parts));
      else return 'unavailable';
    } catch (error) {
      const isTooLarge = error instanceof BodyTooLarge;
      if (!isTooLarge && !isUnreachable(error)) throw error;
      await this.connection.call('DELETE', location).catch(() => undefined);
      return isTooLarge && started.put ? 'too large' : 'unavailable';
    }
    await this.complete(location);
    return 'done';
  }

  private async sendWhole(signed: Signed): Promise<void> {
    await this.put(signed, { number: 1, from: 0, to: this.blob.size });
  }

  private async sendParts(location: string, parts: Iterable<Part>): Promise<void> {
    await inParallel(parts, PARTS_AT_ONCE, async (part) => {
      this.connection.signal.throwIfAborted();
      const sha256 = await this.hashPart(part);
      const body = { parts: [{ number: part.number, sha256, size: part.to - part.from }] };
      const reply = await this.post(`${location}/parts`, body);
      const { parts: answered } = readJson(reply.body);
      const [signed] = Array.isArray(answered) ? (answered as unknown[]) : [];
      if (signed === undefined) throw refused(this.blob.digest, reply);
      await this.put(this.readSigned(signed), part);
    });
  }

  private readSigned(value: unknown): Signed {
    const { url, headers } = isJsonObject(value) ? value : {};
    if (!isHeaders(headers)) throw new CliError('the registry names no headers that a request can have');
    return { url: addressOf(typeof url === 'string' ? url : '', this.connection.target.origin), headers };
  }

  private async hashPart({ from, to }: Part): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of openSlice(this.blob.slice, from, to)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  /** The signature binds bytes and length, so that sending it again can only give the same. */
  private async put({ url, headers }: Signed, { from, to }: Part): Promise<void> {
    const meter = new Meter(this.progress);
    const { signal } = this.connection;
    let attempts = 0;
    await withRetries(this.blob.digest, signal, async () => {
      attempts += 1;
      meter.set(0);
      const body = meter.open(this.blob.slice, from, to);
      const reply = await send({ method: 'PUT', url, headers, body, signal }).catch((error: unknown) => {
        if (isUnreachable(error) && attempts > 2)
          throw new CliError('the store cannot be reached', 1, { cause: error });
        throw adviseOnTrust(`the store at ${url.host}`, error);
      });
      const { status } = reply;
      if (status === 200 || (status === 412 && attempts > 1)) return; // an attempt before was complete after all
      if (mayPass(status)) throw new TryLater(`the store answered ${status}`, 0);
      if (status === 413) {
        meter.set(0);
        throw new BodyTooLarge(`the way to the store takes no body of ${to - from} bytes`);
      }
      throw new CliError(`the store refuses ${this.blob.digest} (${status})`);
    });
  }

  /** A repeated call gets the same answer. */
  private async complete(location: string): Promise<void> {
    let reply = await this.post(`${location}/complete`, {});
    while (reply.status === 202 || readJson(reply.body)['state'] === 'verifying') {
      await sleep(POLL_MS, undefined, { signal: this.connection.signal });
      reply = await this.get(location);
    }
    const { state, reason } = readJson(reply.body);
    if (state === 'failed') throw new CliError(`${this.blob.digest} was refused: ${String(reason)}`);
    if (state !== 'done') throw refused(this.blob.digest, reply);
  }

  private get(path: string): Promise<HttpReply> {
    return withRetries(this.blob.digest, this.connection.signal, () => this.connection.call('GET', path));
  }

  /** Each of these calls may be repeated: at worst an unused upload is begun, which expires. */
  private post(path: string, document: object): Promise<HttpReply> {
    const body = Buffer.from(JSON.stringify(document));
    const call = { headers: { 'content-type': 'application/json' }, body: () => body };
    return withRetries(this.blob.digest, this.connection.signal, () => this.connection.call('POST', path, call));
  }
}

function refused(digest: Digest, reply: HttpReply): CliError {
  return new CliError(`${digest} was refused (${reply.status}): ${reasonOf(reply.body) ?? 'no reason given'}`);
}

/** All of the blob, cut as the registry says, which may say anything. One after the other: there may be many. */
function* partsOf({ size: total }: ImageBlob, cut: unknown): Generator<Part> {
  const { size, count } = isJsonObject(cut) ? cut : {};
  const isCut = Number.isSafeInteger(size) && (size as number) > 0 && count === Math.ceil(total / (size as number));
  if (!isCut) throw new CliError('the registry names no parts that make the blob');
  const bytes = size as number;
  for (let number = 1, from = 0; from < total; number += 1, from += bytes) {
    yield { number, from, to: Math.min(from + bytes, total) };
  }
}

function isHeaders(value: unknown): value is Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return false;
  try {
    for (const [name, text] of Object.entries(value)) {
      validateHeaderName(name);
      if (typeof text !== 'string') return false;
      validateHeaderValue(name, text);
    }
    return true;
  } catch {
    return false;
  }
}
