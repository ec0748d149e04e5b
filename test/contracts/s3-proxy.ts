import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxied {
  /** Such as `PUT`, `PUT part`, `POST uploads`, `POST complete`, `GET parts`, `GET list`, `GET`. */
  readonly call: string;
  readonly headers: IncomingMessage['headers'];
  /** Read by `pass`; a fault may look at it as it comes. */
  readonly body: IncomingMessage;
}

/** What happens to a call instead of being passed on and answered: `true` when it has been dealt with. */
export type Fault = (call: Proxied, reply: ServerResponse, pass: () => Promise<IncomingMessage>) => boolean;

/** A way to an S3 server on which calls are counted, and can be lost, delayed or answered by the test. */
export interface S3Proxy {
  readonly endpoint: string;
  readonly calls: Proxied[];
  fault: Fault | null;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<S3Proxy> {
  const state: { calls: Proxied[]; fault: Fault | null } = { calls: [], fault: null };
  const server = createServer((incoming, reply) => {
    const proxied = { call: callOf(incoming), headers: incoming.headers, body: incoming };
    state.calls.push(proxied);
    // The signature covers the host, so the header goes on as it came.
    const pass = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const { method, headers } = incoming;
        const outgoing = request(new URL(incoming.url ?? '/', target), { method, headers, agent: false }, resolve);
        outgoing.once('error', reject);
        incoming.pipe(outgoing);
      });
    if (state.fault?.(proxied, reply, pass)) return;
    void passOn(reply, pass);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  });
}

/** From now on calls of this kind wait in the proxy, until what it gives is called. */
export function holdCalls(proxy: S3Proxy, kind: string): () => void {
  const waiting: (() => void)[] = [];
  proxy.fault = ({ call }, reply, pass) => {
    if (call !== kind) return false;
    waiting.push(() => void passOn(reply, pass));
    return true;
  };
  return () => {
    proxy.fault = null;
    for (const go of waiting) go();
  };
}

/** The answer goes on with its headers changed. */
export async function passOnWith(
  reply: ServerResponse,
  pass: () => Promise<IncomingMessage>,
  change: (headers: IncomingMessage['headers']) => void,
): Promise<void> {
  const answer = await pass();
  change(answer.headers);
  reply.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(reply);
}

async function passOn(reply: ServerResponse, pass: () => Promise<IncomingMessage>): Promise<void> {
  try {
    const answer = await pass();
    reply.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(reply);
  } catch {
    reply.destroy();
  }
}

function callOf({ method = '', url = '' }: IncomingMessage): string {
  const { searchParams } = new URL(url, 'http://localhost');
  const has = (name: string): boolean => searchParams.has(name);
  if (method === 'POST' && has('uploadId')) return 'POST complete';
  if (method === 'GET' && has('uploadId')) return 'GET parts';
  if (has('list-type')) return 'GET list';
  if (has('partNumber')) return `${method} part`;
  if (has('uploads')) return `${method} uploads`;
  return method;
}

export function answerXml(reply: ServerResponse, status: number, code: string): true {
  reply.writeHead(status, { 'Content-Type': 'application/xml' });
  reply.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up</Message></Error>`);
  return true;
}
