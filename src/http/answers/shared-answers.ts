import type { Response } from 'express';
import { Allotment, type Holding, type Progress } from '../../fairness/allotment.js';
import { whenClosed } from '../connections/when-closed.js';
import { ANSWERS, readingOf } from './unread-answers.js';

/** Answers that are read from the database at once: the driver has each in memory three times until it is read. */
const LOADS = new Allotment({ resource: 'answers', total: 3 });

interface Shared {
  readonly bytes: Promise<Buffer>;
  readonly size: number;
  /** How the reading of each gets on. */
  readonly readers: Map<Response, Progress>;
  /** When nobody reads it any more. */
  readonly forget: () => void;
}

/**
 * Large answers that are the same for all who ask for them: their bytes are in memory once, however many read them at
 * once and however slowly, and count for the share of the first.
 */
export class SharedAnswers<Key> {
  private readonly shared = new Map<Key, Shared>();

  /** The bytes, for this answer until it is closed. Throws `ShareExhausted`, and what `load` throws. */
  async open(key: Key, size: number, response: Response, load: () => Promise<Buffer>): Promise<Buffer> {
    const { signal } = response.req.context;
    for (;;) {
      const known = this.shared.get(key);
      if (!known) return this.begin(key, size, response, load);
      this.join(known, response);
      try {
        return await known.bytes;
      } catch (error) {
        // The first one's share was used up, or its client has left: neither says anything of this one.
        if (signal.aborted) throw error;
      }
    }
  }

  private begin(key: Key, size: number, response: Response, load: () => Promise<Buffer>): Promise<Buffer> {
    const readers: Shared['readers'] = new Map();
    const { share, signal } = response.req.context;
    let holding: Holding | null = null;
    const bytes = (async () => {
      holding = ANSWERS.tryTake(share, size) ?? (await ANSWERS.take(share, size, signal));
      holding.progress = progressOf(readers);
      for (const reader of readers.keys()) readers.set(reader, readBy(reader, size)); // what they waited for is not theirs
      const place = LOADS.tryTake(share, 1) ?? (await LOADS.take(share, 1, signal));
      return load().finally(() => {
        place.release();
      });
    })();
    const forget = (): void => {
      if (this.shared.get(key) === shared) this.shared.delete(key);
      holding?.release();
    };
    const shared: Shared = { bytes, size, readers, forget };
    this.shared.set(key, shared);
    this.join(shared, response);
    // Its last reader may have left before there was anything to release.
    bytes.then(() => {
      if (readers.size === 0) forget();
    }, forget);
    return bytes;
  }

  private join({ size, readers, forget }: Shared, response: Response): void {
    readers.set(response, readBy(response, size));
    whenClosed(response, () => {
      readers.delete(response);
      if (readers.size === 0) forget();
    });
  }
}

function readBy(response: Response, size: number): Progress {
  return readingOf(size, () => void response.destroy());
}

/** Those who read too slowly are ended, and nobody who came after them. */
function progressOf(readers: Shared['readers']): Progress {
  const stalled = (): Progress[] => [...readers.values()].filter((reading) => reading.isStalled());
  return {
    isStalled: () => stalled().length > 0,
    end: () => {
      for (const reading of stalled()) reading.end();
    },
  };
}
