/** Whether `npm run soak` runs the spec file, which then does the whole of what it does in part with each change. */
export const isSoak = process.env['SOAK'] === 'full';

/** A spec file's cases in the setting that it runs in, by the store of that setting; all of them in `npm run soak`. */
export function casesHere<T>(cases: Readonly<Record<'filesystem' | 's3', readonly T[]>>): readonly T[] {
  if (isSoak) return [...new Set([...cases.filesystem, ...cases.s3])];
  return cases[process.env['TEST_STORE'] === 's3' ? 's3' : 'filesystem'];
}
