/**
 * The answer may lie unread, or be on its way, when it was this process that stood still, so the time is counted in
 * several steps: a halt costs one of them, however long it was.
 */
const STEPS = 4;

/**
 * As `work`, but no later than in this time, to which halts of this process are added: then it throws and no longer
 * waits for `work`.
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const late = new Promise<never>((_, reject) => {
    const wait = (steps: number): void => {
      timer = setTimeout(() => {
        if (steps > 1) wait(steps - 1);
        // After the sockets were read: the halt may have been in this step.
        else last = setImmediate(reject, new Error(`Redis did not answer in ${milliseconds} ms`));
      }, milliseconds / STEPS);
    };
    wait(STEPS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    clearImmediate(last);
  }
}
