import { Allotment } from '../../fairness/allotment.js';
import { Garbage } from '../../fairness/garbage.js';
import type { Share } from '../../fairness/share.js';

/** Bytes of a manifest that takes tens of milliseconds of this process, and ten times its size, until it is stored or read. */
export const LARGE_MANIFEST = 256 * 1024;
/** Of them at once: one of a principal, as long as others leave room for it. */
const AT_ONCE = 3;
/** A place stays empty as long again as its push has taken, and at most so long: the event loop is for others, too. */
const LONGEST_REST_MS = 2_000;

/** A push leaves about twice its size behind, most of it old when it is done. */
const GARBAGE_BYTES = 16 * 2 ** 20;

/** Work on large manifests, a few at a time: pushes, and the first look at what was pushed. */
export class LargeManifests {
  private readonly places = new Allotment({ resource: 'manifests', total: AT_ONCE });
  private readonly garbage = new Garbage(GARBAGE_BYTES);

  /** Waits in turn for a place, no longer than the client does; throws `ShareExhausted` and the signal's reason. */
  async run<T>(share: Share, bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const place = await this.places.take(share, 1, signal);
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.garbage.add(bytes);
      const rest = Math.min(performance.now() - begun, LONGEST_REST_MS);
      setTimeout(() => {
        place.release();
      }, rest);
    }
  }
}
