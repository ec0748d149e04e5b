import type { Headers, Reply } from '../support/http-exchange.js';
import { type CarefulClient, Interrupted } from './careful-client.js';
import type { Blob } from './seeded-blob.js';

/** As docker does, one PATCH for everything; or as others do, in chunks that say where they belong. */
export type Manner = 'stream' | 'chunks';

const CHUNK = 6 * 2 ** 20;
/** How often a blob is begun anew, and an upload gone on with, before that is called a failure. */
const ROUNDS = 20;
const OCTETS = { 'content-type': 'application/octet-stream' };
const NO_BODY = { 'content-length': '0' };

/** Pushes a blob until it is acknowledged: a lost connection costs the request that it cut off. */
export async function pushBlob(client: CarefulClient, repository: string, blob: Blob, manner: Manner): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const upload = await BlobUpload.begin(client, repository, blob);
    if (await upload.finish(manner)) return;
    client.log.retries++;
  }
  throw new Error(`${blob.digest}: ${ROUNDS} uploads of it were lost`);
}

export function scopeOf(repository: string): string {
  return `repository:${repository}:pull,push`;
}

class BlobUpload {
  private constructor(
    private readonly client: CarefulClient,
    private readonly repository: string,
    private readonly blob: Blob,
    private readonly path: string,
  ) {}

  /** An upload that was begun and whose answer was lost is swept, so beginning another harms nobody. */
  static async begin(client: CarefulClient, repository: string, blob: Blob): Promise<BlobUpload> {
    const path = `/v2/${repository}/blobs/uploads/`;
    const reply = await client.request('POST', path, scopeOf(repository), { isRepeatable: true, headers: NO_BODY });
    const { pathname, search } = new URL(reply.expect(202).need('location'), 'http://registry');
    return new BlobUpload(client, repository, blob, pathname + search);
  }

  /** Sends the bytes and closes the upload; false when it is gone. */
  async finish(manner: Manner): Promise<boolean> {
    let offset = manner === 'stream' ? await this.patch(0, this.blob.size, {}) : 0;
    for (let round = 0; round < ROUNDS && offset !== null; round++) {
      offset = await this.sendFrom(offset);
      if (offset === null) break;
      const reply = await this.send('PUT', `${this.path}?digest=${this.blob.digest}`, NO_BODY);
      if (reply.status === 201) return true;
      if (reply.status === 404) return this.isStored();
      reply.expect(416);
      offset = await this.position();
    }
    return false;
  }

  private async sendFrom(offset: number): Promise<number | null> {
    let at: number | null = offset;
    while (at !== null && at < this.blob.size) {
      const end = Math.min(at + CHUNK, this.blob.size);
      at = await this.patch(at, end, { 'content-length': String(end - at), 'content-range': `${at}-${end - 1}` });
    }
    return at;
  }

  /** Where the upload goes on after this; `null` when it is gone. What became of a lost chunk, the registry is asked. */
  private async patch(start: number, end: number, framing: Headers): Promise<number | null> {
    try {
      const body = () => this.blob.read(start, end);
      const headers = { ...OCTETS, ...framing };
      const reply = await this.client.request('PATCH', this.path, scopeOf(this.repository), { headers, body });
      if (reply.status === 404) return null;
      if (reply.status !== 416) return offsetOf(reply.expect(202));
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await error.pause();
    }
    this.client.log.retries++;
    return this.position();
  }

  private async position(): Promise<number | null> {
    const reply = await this.send('GET', this.path);
    return reply.status === 404 ? null : offsetOf(reply.expect(204));
  }

  /** A repeated PUT finds no upload when the first one was the last that its row had to answer. */
  private async isStored(): Promise<boolean> {
    const reply = await this.send('HEAD', `/v2/${this.repository}/blobs/${this.blob.digest}`);
    return reply.expect([200, 404]).status === 200;
  }

  private send(method: string, path: string, headers: Headers = {}): Promise<Reply> {
    return this.client.request(method, path, scopeOf(this.repository), { headers });
  }
}

/** `Range: 0-0` is what an empty upload says; no chunk here ends after one byte. */
function offsetOf(reply: Reply): number {
  const last = Number(reply.need('range').split('-')[1]);
  return last === 0 ? 0 : last + 1;
}
