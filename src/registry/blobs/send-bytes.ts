import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { releaseMemory } from '../../fairness/release-memory.js';

/** How far an answer came; see `RequestContext`. */
export interface Progress {
  sent: number | null;
}

/**
 * Sends the bytes and ends the answer. The memory of each chunk is given back once the socket has taken it. When either
 * side fails, the other is ended too, and the failure is thrown: an answer that is cut off must not look complete.
 */
export async function sendBytes(bytes: Readable, response: Writable, progress: Progress): Promise<void> {
  progress.sent = 0;
  const taking = new Writable({
    highWaterMark: 1, // one chunk at a time; the source reads ahead by itself
    write(chunk: Buffer, _encoding, done) {
      response.write(chunk, (error) => {
        if (!error) progress.sent = (progress.sent ?? 0) + chunk.length;
        releaseMemory(chunk);
        done(error);
      });
    },
  });
  const onClose = (): void => void taking.destroy(new Error('the answer was closed before its end'));
  response.once('close', onClose);
  try {
    await pipeline(bytes, taking);
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    response.off('close', onClose);
  }
}
