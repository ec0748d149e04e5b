import { Allotment } from '../../fairness/allotment.js';
import { Garbage } from '../../fairness/garbage.js';
import type { Share } from '../../fairness/share.js';

/** Bytes from which storing or reading a manifest takes tens of milliseconds of this process, and ten times its size. */
export const LARGE_MANIFEST = 256 * 1024;
/** Concurrent ones; one per principal while others wait. */
const AT_ONCE = 3;
/** A place stays empty twice as long as its work took, and at most so long, to leave the processors to other requests. */
const REST = 2;
const LONGEST_REST_MS = 4_000;

/** A push leaves garbage of about twice its size, mostly in the old generation. */
const GARBAGE_BYTES = 8 * 2 ** 20;

/** Work on large manifests, a few at a time: pushes, and the first read of their summary. */
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
      const rest = Math.min(REST * (performance.now() - begun), LONGEST_REST_MS);
      setTimeout(() => {
        place.release();
      }, rest).unref();
    }
  }
}
