import { once } from 'node:events';
import type http from 'node:http';
import { digestOf } from '../support/content.js';
import type { RegistryClient } from '../support/registry-client.js';
import type { Upload } from '../support/upload.js';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
}

/** A PATCH whose body has begun and goes on only when the test says so. */
export class SlowUpload {
  readonly answered: Promise<Answer>;
  private readonly sent: Buffer[] = [];

  private constructor(
    private readonly upload: Upload,
    private readonly request: http.ClientRequest,
  ) {
    // The connection of a refused request may be closed under it; the answer is what counts.
    request.on('error', () => undefined);
    this.answered = once(request, 'response').then((events) => {
      const response = events[0] as http.IncomingMessage;
      response.resume();
      return { status: response.statusCode ?? 0, headers: response.headers };
    });
    // An upload that is given up is never answered.
    this.answered.catch(() => undefined);
  }

  static async begin(client: RegistryClient, name: string, firstBytes: Buffer): Promise<SlowUpload> {
    const upload = await client.startUpload(name);
    const request = await client.open('PATCH', upload.path, {
      'content-type': 'application/octet-stream',
      'transfer-encoding': 'chunked',
    });
    const slow = new SlowUpload(upload, request);
    slow.send(firstBytes);
    return slow;
  }

  send(bytes: Buffer): void {
    this.sent.push(bytes);
    this.request.write(bytes);
  }

  /** The rest of the body, and the closing PUT. Gives the digest. */
  async finish(lastBytes: Buffer): Promise<string> {
    this.sent.push(lastBytes);
    this.request.end(lastBytes);
    const { status } = await this.answered;
    if (status !== 202) throw new Error(`the PATCH was answered with ${status}`);
    const digest = digestOf(Buffer.concat(this.sent));
    await this.upload.put(digest).expect(201, { digest });
    return digest;
  }

  /** The end of the body, and nothing after it. */
  end(): void {
    this.request.end();
  }

  abandon(): void {
    this.request.destroy();
  }
}

/** A pull whose answer has begun and of which nothing is read until the test does. */
export async function slowPull(client: RegistryClient, name: string, digest: string): Promise<http.IncomingMessage> {
  const request = await client.open('GET', `/v2/${name}/blobs/${digest}`);
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the GET was answered with ${response.statusCode ?? 0}`);
  return response.pause();
}
