import type { Response } from 'express';
import { Allotment, type Holding, type Progress } from '../../fairness/allotment.js';
import type { Share } from '../../fairness/share.js';
import { whenClosed } from '../connections/when-closed.js';
import { ANSWERS, readingOf } from './unread-answers.js';

/** Concurrent reads of answers from the database: until one is read, the driver has it in memory three times. */
const LOADS = new Allotment({ resource: 'answers', total: 3 });

interface Shared {
  readonly bytes: Promise<Buffer>;
  readonly size: number;
  /** The progress of each reader. */
  readonly readers: Map<Response, Progress>;
  /** Removes it once it is loaded and has no readers. */
  readonly forget: () => void;
}

/**
 * Large answers that are the same for all clients: their bytes are in memory once, for any number of readers, and count
 * for the share of the first.
 */
export class SharedAnswers<Key> {
  private readonly shared = new Map<Key, Shared>();
  /** Requests that wait for room for the same answer. */
  private readonly lines = new Map<Key, { readonly controller: AbortController; length: number }>();

  /** The bytes, for this answer until it is closed. Throws `ShareExhausted`, and what `load` throws. */
  async open(key: Key, size: number, response: Response, load: () => Promise<Buffer>): Promise<Buffer> {
    const { share, signal } = response.req.context;
    for (;;) {
      const known = this.shared.get(key);
      if (known) {
        try {
          return await this.join(known, response);
        } catch (error) {
          // A failure of the first request does not concern this one.
          if (signal.aborted) throw error;
        }
      } else {
        const holding = ANSWERS.tryTake(share, size) ?? (await this.wait(key, size, response));
        if (holding && !this.shared.has(key)) return this.begin(key, size, response, holding, load);
        holding?.release();
      }
    }
  }

  /** Each request waits in the queue of its own share; `null` when another one got room first. */
  private async wait(key: Key, size: number, response: Response): Promise<Holding | null> {
    const { share, signal } = response.req.context;
    const begun = this.begun(key);
    try {
      return await ANSWERS.take(share, size, AbortSignal.any([signal, begun.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!begun.signal.aborted) throw error;
      return null;
    } finally {
      begun.leave();
    }
  }

  private begun(key: Key): { readonly signal: AbortSignal; readonly leave: () => void } {
    const line = this.lines.get(key) ?? { controller: new AbortController(), length: 0 };
    this.lines.set(key, line);
    line.length += 1;
    const leave = (): void => {
      line.length -= 1;
      if (line.length === 0 && this.lines.get(key) === line) this.lines.delete(key);
    };
    return { signal: line.controller.signal, leave };
  }

  private begin(
    key: Key,
    size: number,
    response: Response,
    holding: Holding,
    load: () => Promise<Buffer>,
  ): Promise<Buffer> {
    const readers: Shared['readers'] = new Map();
    holding.progress = progressOf(readers);
    let isLoaded = false;
    const forget = (): void => {
      // An answer that is being loaded uses memory even without readers; requests until then share it.
      if (!isLoaded || readers.size > 0) return;
      if (this.shared.get(key) === shared) this.shared.delete(key);
      holding.release();
    };
    const bytes = inTurn(response.req.context.share, load).then(
      (loaded) => {
        isLoaded = true;
        for (const reader of readers.keys()) readers.set(reader, readBy(reader, size)); // the time of loading is not theirs
        forget();
        return loaded;
      },
      (error: unknown) => {
        isLoaded = true;
        readers.clear();
        forget();
        throw error;
      },
    );
    const shared: Shared = { bytes, size, readers, forget };
    this.shared.set(key, shared);
    this.lines.get(key)?.controller.abort(new Error('another one reads it'));
    this.lines.delete(key);
    return this.join(shared, response);
  }

  private join({ bytes, size, readers, forget }: Shared, response: Response): Promise<Buffer> {
    readers.set(response, readBy(response, size));
    whenClosed(response, () => {
      readers.delete(response);
      forget();
    });
    return bytes;
  }
}

async function inTurn(share: Share, load: () => Promise<Buffer>): Promise<Buffer> {
  const place = LOADS.tryTake(share, 1) ?? (await LOADS.take(share, 1));
  try {
    return await load();
  } finally {
    place.release();
  }
}

function readBy(response: Response, size: number): Progress {
  return readingOf(size, () => void response.destroy());
}

/** Ends the readers that are too slow, and no others. */
function progressOf(readers: Shared['readers']): Progress {
  const stalled = (): Progress[] => [...readers.values()].filter((reading) => reading.isStalled());
  return {
    isStalled: () => stalled().length > 0,
    end: () => {
      for (const reading of stalled()) reading.end();
    },
  };
}
