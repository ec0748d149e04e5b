import type { Readable } from 'node:stream';
import { CliError } from '../exit-codes.js';
import type { BodyLimit } from './body-limit.js';
import type { Connection } from './connection.js';
import { addressOf, type HttpReply } from './http.js';
import type { ImageBlob } from './image.js';
import { Meter } from './meter.js';
import type { Progress } from './progress.js';
import { isOciError, reasonOf } from './reason.js';
import { withRetries } from './retry.js';

const OCTETS = 'application/octet-stream';

export async function hasBlob(connection: Connection, digest: string): Promise<boolean> {
  const { repository } = connection.target;
  return withRetries(digest, connection.signal, async () => {
    const path = `/v2/${repository}/blobs/${digest}`;
    const { status } = await connection.call('HEAD', path);
    // Some redirect to their store.
    if (status === 200 || status === 307) return true;
    if (status === 404) return false;
    // An answer to HEAD has no reason. What is no request with HEAD is none with GET, which has one.
    if (status === 400) throw refused(repository, await connection.call('GET', path));
    throw new CliError(`${connection.target.host} answered ${status} for ${digest}`);
  });
}

/**
 * The upload of the distribution specification, in chunks where a body may not be larger. After a lost connection and
 * after a body that was too large the registry is asked how much it has.
 */
export class StandardUpload {
  private location: string | null = null;
  private offset = 0;
  private hasDoubt = false;
  private readonly meter: Meter;

  constructor(
    private readonly connection: Connection,
    private readonly blob: ImageBlob,
    private readonly progress: Progress,
    private readonly limit: BodyLimit,
  ) {
    this.meter = new Meter(progress);
  }

  async run(): Promise<void> {
    await withRetries(this.blob.digest, this.connection.signal, async () => {
      if (this.hasDoubt && (await this.isThere())) return;
      this.hasDoubt = true; // until an answer says otherwise
      if (this.location === null) await this.begin();
      else await this.ask();
      await this.sendRest();
      await this.close();
    });
  }

  private async isThere(): Promise<boolean> {
    const path = `/v2/${this.connection.target.repository}/blobs/${this.blob.digest}`;
    return (await this.connection.call('HEAD', path)).status === 200;
  }

  private async begin(): Promise<void> {
    const reply = await this.connection.call('POST', `/v2/${this.connection.target.repository}/blobs/uploads/`);
    if (reply.status !== 202) throw refused('an upload', reply);
    this.keepPlace(reply);
    this.offset = 0;
  }

  /** How much has arrived. An upload that the registry does not know any more begins anew. */
  private async ask(): Promise<void> {
    const reply = await this.connection.call('GET', this.place());
    if (reply.status === 404) {
      await this.begin();
      return;
    }
    if (reply.status !== 204 && reply.status !== 200) throw refused('the state of an upload', reply);
    this.keepPlace(reply);
    this.offset = arrived(reply);
    if (this.offset > this.blob.size) throw new CliError(`the registry has more of ${this.blob.digest} than there is`);
  }

  private async sendRest(): Promise<void> {
    const { size } = this.blob;
    while (this.offset < size) await this.sendChunk(this.offset, this.limit.endOf(this.offset, size));
  }

  private async sendChunk(from: number, to: number): Promise<void> {
    const { slice, size, digest } = this.blob;
    const isWhole = from === 0 && to === size;
    const range = isWhole ? {} : { 'content-range': `${from}-${to - 1}` };
    const headers = { 'content-type': OCTETS, 'content-length': String(to - from), ...range };
    const body = (): Readable => {
      this.meter.set(from);
      return this.meter.open(slice, from, to);
    };
    const reply = await this.connection.call('PATCH', this.place(), { headers, body });
    if (reply.status === 413) return this.makeSmaller(reply, to - from);
    if (reply.status === 416) throw this.misplaced();
    if (reply.status !== 202) throw refused(digest, reply);
    this.keepPlace(reply);
    this.offset = to;
  }

  /** A proxy limits bodies. A registry that refuses the blob itself says so in its own words. */
  private async makeSmaller(reply: HttpReply, bytes: number): Promise<void> {
    if (isOciError(reply.body)) throw refused(this.blob.digest, reply);
    const limit = this.limit.lower(bytes);
    if (limit === null) {
      throw new CliError(`a body of ${bytes} bytes is too large (413): a proxy before the registry limits bodies`);
    }
    this.progress.say(`a body of ${bytes} bytes is too large (413): going on with chunks of ${limit} bytes`);
    await this.ask(); // some of it may have arrived
  }

  private async close(): Promise<void> {
    const url = new URL(this.place());
    url.searchParams.set('digest', this.blob.digest);
    const reply = await this.connection.call('PUT', url, { body: () => Buffer.alloc(0) });
    if (reply.status === 416) throw this.misplaced();
    if (reply.status !== 201 && reply.status !== 204) throw refused(this.blob.digest, reply);
  }

  /** Something of an earlier request has arrived meanwhile: the next round asks how much, unless that was no use. */
  private misplaced(): Error {
    if (this.offset === 0) this.location = null;
    return new Error('the registry has another part of the upload than it said');
  }

  private place(): string {
    if (this.location === null) throw new Error('the upload has not begun');
    return this.location;
  }

  private keepPlace({ headers: { location } }: HttpReply): void {
    if (location !== undefined) this.location = addressOf(location, this.connection.target.origin).href;
  }
}

/** `Range: 0-1023`: the last byte that has arrived. `0-0` is also what some say of nothing. */
function arrived({ headers: { range } }: HttpReply): number {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(typeof range === 'string' ? range : '')?.[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}

function refused(what: string, reply: HttpReply): CliError {
  return new CliError(`the registry refuses ${what} (${reply.status}): ${reasonOf(reply.body) ?? 'no reason given'}`);
}
