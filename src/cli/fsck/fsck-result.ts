import type { OutputOptions } from '../output.js';
import { print } from '../output.js';
import type { ShownDamage, ShownRun } from './fsck-runner.js';

/**
 * Prints what was found, and returns how many blobs are damaged. There may be as many as the registry has, so each goes
 * out as it comes; with `--json` they are still one object.
 */
export async function printResult(
  options: OutputOptions,
  run: ShownRun,
  damaged: AsyncIterable<ShownDamage>,
): Promise<number> {
  const { hash, blobs, bytes, healed, unchecked } = run;
  let count = 0;
  const isJson = options.json === true;
  if (isJson) await write(`${JSON.stringify({ hash, blobs, bytes, healed, unchecked }).slice(0, -1)},"damaged":[`);
  for await (const blob of damaged) {
    if (isJson) await write(`${count === 0 ? '' : ','}${JSON.stringify(blob)}`);
    else print(options, blob, linesOf(blob));
    count += 1;
  }
  if (isJson) await write(']}\n');
  else print(options, {}, [summary(run, count)]);
  return count;
}

function summary({ hash, blobs, bytes, healed, unchecked }: ShownRun, damaged: number): string {
  const looked = hash ? `read ${blobs} blobs, ${(bytes / 1e6).toFixed(1)} MB` : `looked for ${blobs} blobs`;
  const rest = [
    `${damaged} damaged`,
    ...(healed > 0 ? [`${healed} whole again`] : []),
    ...(unchecked > 0 ? [`${unchecked} could not be checked, run it again`] : []),
  ];
  return `${looked}: ${rest.join(', ')}`;
}

function linesOf({ digest, size, kind, foundSize, repositories, repositoryCount }: ShownDamage): string[] {
  const what = {
    missing: 'is missing',
    size: `has ${foundSize ?? 0} bytes instead of ${size}`,
    bytes: 'has other bytes',
  }[kind];
  const more = repositoryCount - repositories.length;
  return [
    `${digest} ${what}`,
    ...repositories.map(({ path, tags }) => `  ${path}: ${tags.length === 0 ? 'no tag' : tags.join(', ')}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** Waits for a reader that is slower. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => {
      resolve();
    });
  });
}
