import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
/** For what was cut off to notice it, and to write down how far it got. */
const SETTLE_MS = 500;

/**
 * Accepts nothing new and resolves when every connection has ended. Requests that run get `graceMs`, or less if
 * `hurry` is aborted; then they are cut off. Resolves with whether none had to be.
 */
export async function drainServer(server: Server, graceMs: number, hurry: AbortSignal): Promise<boolean> {
  if (!server.listening) return true;
  // A client that keeps its connection busy would never be seen idle.
  server.prependListener('request', (_: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive = false;
  });
  const closed = once(server, 'close').then(() => true);
  server.close();
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, POLL_MS);
  try {
    if (await Promise.race([closed, graceEnds(graceMs, hurry)])) return true;
    server.closeAllConnections();
    await sleep(SETTLE_MS);
    return false;
  } finally {
    clearInterval(idle);
  }
}

async function graceEnds(graceMs: number, hurry: AbortSignal): Promise<false> {
  await sleep(graceMs, undefined, { signal: hurry, ref: false }).catch(() => undefined);
  return false;
}
