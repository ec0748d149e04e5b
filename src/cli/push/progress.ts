import { Presets, SingleBar } from 'cli-progress';
import { note } from '../output.js';

/** How far a push is. */
export interface Progress {
  /** Bytes that have left; negative where they have to be sent again. */
  add(bytes: number): void;
  /** About one blob, or the whole. */
  say(line: string): void;
  end(): void;
}

const MB = 1_000_000;

/** A bar on a terminal, else a line for each blob on stderr; nothing with `isQuiet`. */
export function openProgress(totalBytes: number, isQuiet: boolean): Progress {
  if (isQuiet) return { add: () => undefined, say: () => undefined, end: () => undefined };
  if (!process.stderr.isTTY) return { add: () => undefined, say: note, end: () => undefined };
  const format = '{bar} {percentage}% | {done} of {all} MB | {eta_formatted}';
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, fps: 5 }, Presets.shades_classic);
  let sent = 0;
  const shown = (): object => ({ done: (sent / MB).toFixed(1), all: (totalBytes / MB).toFixed(1) });
  bar.start(totalBytes, 0, shown());
  return {
    add: (bytes) => {
      sent += bytes;
      bar.update(sent, shown());
    },
    say: () => undefined,
    end: () => {
      bar.stop();
    },
  };
}
