import { Presets, SingleBar } from 'cli-progress';
import type { ShownRun } from './fsck-runner.js';

export interface FsckProgress {
  readonly show: (run: ShownRun) => void;
  readonly end: () => void;
}

const FORMAT = '{bar} {percentage}% | {blobs} of {totalBlobs} blobs | {damaged} damaged | {eta_formatted}';

/** A bar on a terminal, else nothing. */
export function openFsckProgress(): FsckProgress {
  if (!process.stderr.isTTY) return { show: () => undefined, end: () => undefined };
  const bar = new SingleBar(
    { format: FORMAT, stream: process.stderr, hideCursor: true, fps: 5 },
    Presets.shades_classic,
  );
  let isShown = false;
  return {
    show: (run) => {
      const { hash, blobs, totalBlobs, bytes, totalBytes, damaged } = run;
      const [done, all] = hash ? [bytes, totalBytes] : [blobs, totalBlobs];
      const payload = { blobs, totalBlobs, damaged };
      if (isShown) bar.update(done, payload);
      else bar.start(all, done, payload);
      isShown = true;
    },
    end: () => {
      if (isShown) bar.stop();
    },
  };
}
