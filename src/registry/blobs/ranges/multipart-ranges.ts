import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ByteRange, contentRange, rangeLength } from '../../../oci/content-range.js';

/** Bytes between two ranges that are sooner read and thrown away than asked for again: a request to S3 takes as long. */
const GAP = 64 * 1024;

/**
 * Opens the object at one range; the caller reads or destroys the stream. Only the first time it has to be looked at:
 * of an object in many files that costs more than to read a few bytes.
 */
export type OpenRange = (range: ByteRange, isFirst: boolean) => Promise<Readable>;

/** The body of an answer with several ranges (RFC 9110, section 14.6). */
export interface MultipartBody {
  readonly contentType: string;
  /** Bytes of the whole body, with what stands between the parts. */
  readonly length: number;
  readonly bytes: Readable;
}

/** Ranges that are read in one go: ascending, none overlaps another, with small gaps. */
interface Run {
  readonly start: number;
  end: number;
  readonly ranges: ByteRange[];
}

/**
 * A part for each range, in the order asked for: clients that count parts do not look at their `Content-Range`. The
 * first is opened at once, so that a store that fails can still be answered with a status; one stream is open at a time.
 */
export async function openRanges(ranges: readonly ByteRange[], size: number, open: OpenRange): Promise<MultipartBody> {
  const boundary = randomBytes(18).toString('base64url');
  const head = (range: ByteRange): string =>
    `\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
  const end = `\r\n--${boundary}--\r\n`;
  const runs = runsOf(ranges);
  const [firstRun] = runs;
  if (!firstRun) throw new Error('there is no range to open');
  const first = await open(firstRun, true);
  async function* parts(): AsyncGenerator<Buffer> {
    for (const run of runs) yield* partsOf(run, run === firstRun ? first : await open(run, false), head);
    yield Buffer.from(end);
  }
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    length: ranges.reduce((sum, range) => sum + head(range).length + rangeLength(range), end.length),
    bytes: Readable.from(parts(), { objectMode: false }),
  };
}

function runsOf(ranges: readonly ByteRange[]): Run[] {
  const runs: Run[] = [];
  for (const range of ranges) {
    const run = runs.at(-1);
    const gap = run ? range.start - run.end - 1 : -1;
    if (run && gap >= 0 && gap <= GAP) {
      run.end = range.end;
      run.ranges.push(range);
    } else runs.push({ ...range, ranges: [range] });
  }
  return runs;
}

/** Cuts the ranges out of the run's bytes. Throws when these end too early: the answer must not look complete. */
async function* partsOf(run: Run, bytes: Readable, head: (range: ByteRange) => string): AsyncGenerator<Buffer> {
  let position = run.start;
  let next = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const end = position + chunk.length; // a chunk that was given away may be empty afterwards
    for (let range = run.ranges[next]; range && range.start < end; range = run.ranges[next]) {
      if (range.start >= position) yield Buffer.from(head(range));
      yield chunk.subarray(Math.max(range.start - position, 0), Math.min(range.end + 1, end) - position);
      if (range.end >= end) break; // it goes on in the next chunk
      next += 1;
    }
    position = end;
  }
  if (position <= run.end) throw new Error(`the object ends at ${position}, within the range to ${run.end}`);
}
