import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { SignedRequest } from '../../src/storage/direct-uploads.js';

export interface SignedReply {
  readonly status: number;
  readonly text: string;
}

/** A PUT to the store with exactly the signed headers, as a client without the registry's help would send it. */
export async function sendSigned({ url, headers }: SignedRequest, body: Buffer): Promise<SignedReply> {
  const request = http.request(url, { method: 'PUT', headers, agent: false });
  request.on('error', () => undefined); // a store may close while a refused body is still being sent
  request.end(body);
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  return { status: reply.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
