// Which process a number stands for. Plain JavaScript: it is used before anything is installed.
import { readFileSync } from 'node:fs';

/** A process number is reused; only with the same start time is it the process that was recorded. */
export function isAlive({ pid, startTime }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false; // there, and somebody else's
  }
  return startTimeOf(pid) === startTime;
}

/** When the process was started, as the kernel counts it; empty where that cannot be read. */
export function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; state is the first field after it, start time the twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return '';
  }
}
