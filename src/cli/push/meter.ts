import { Transform, type Readable } from 'node:stream';
import { type FileSlice, openSlice } from './file-slice.js';
import type { Progress } from './progress.js';

/** How much of one blob, or one part of it, has left. */
export class Meter {
  private counted = 0;

  constructor(private readonly progress: Progress) {}

  /** What has arrived after all, where something was lost on the way. */
  set(bytes: number): void {
    this.progress.add(bytes - this.counted);
    this.counted = bytes;
  }

  /** The bytes of the slice from `from` up to `to`, counted as they leave. */
  open(slice: FileSlice, from = 0, to = slice.size): Readable {
    const counting = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.set(this.counted + chunk.length);
        done(null, chunk);
      },
    });
    const source = openSlice(slice, from, to);
    source.on('error', (error) => counting.destroy(error));
    counting.on('close', () => source.destroy());
    return source.pipe(counting);
  }
}
