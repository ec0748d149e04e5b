import { Readable } from 'node:stream';
import { LengthMismatch } from './storage-errors.js';

/** A reason that is no `Error` (anything may be given to `abort`) still has to be thrown as one. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** Ends the stream with the signal's reason, as the consumer's error; without this it would wait for ever. */
export function destroyOnAbort(stream: Readable, signal: AbortSignal | undefined): Readable {
  if (!signal) return stream;
  const abort = (): void => void stream.destroy(abortReason(signal));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => {
    signal.removeEventListener('abort', abort);
  });
  return stream;
}

/**
 * The chunks of a request's body. Stops with the signal's reason even while the source is silent, throws
 * `LengthMismatch` when the source is shorter or longer than announced, and leaves the source open when the consumer
 * stops early: a request must live on to carry its refusal.
 */
export async function* bodyChunks(
  body: AsyncIterable<Uint8Array>,
  options: { signal: AbortSignal; expectedBytes: number | null },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, expectedBytes } = options;
  const iterator = body instanceof Readable ? readableIterator(body) : body[Symbol.asyncIterator]();
  let received = 0;
  let rejectPending: (reason: Error) => void = () => undefined;
  const onAbort = (): void => {
    rejectPending(abortReason(signal));
  };
  // One listener for the whole body: a race against one promise would keep an entry for every chunk.
  const next = (): Promise<IteratorResult<Uint8Array, unknown>> =>
    new Promise((resolve, reject) => {
      rejectPending = reject;
      if (signal.aborted) onAbort();
      else iterator.next().then(resolve, reject);
    });
  signal.addEventListener('abort', onAbort);
  try {
    for (let step = await next(); step.done !== true; step = await next()) {
      received += step.value.length;
      if (expectedBytes !== null && received > expectedBytes) throw new LengthMismatch(expectedBytes, received);
      if (step.value.length > 0) yield step.value;
    }
    if (expectedBytes !== null && received < expectedBytes) throw new LengthMismatch(expectedBytes, received);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: a source that is silent answers never.
    iterator.return?.().catch(() => undefined);
  }
}

function readableIterator(body: Readable): AsyncIterator<Uint8Array> {
  return body.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
}
