import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errorCode } from '../../config/error-code.js';

/** A process, told from a later one that was given the same number by the time it started. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Equal exactly for the same process; what it counts differs between systems. */
  readonly startTime: string;
}

/** `null` when there is no such process, or only what is left of one that has ended. */
export function identify(pid: number): ProcessIdentity | null {
  if (!exists(pid)) return null;
  const startTime = fromProc(pid) ?? fromPs(pid);
  return startTime === null ? null : { pid, startTime };
}

export function isSameProcess({ pid, startTime }: ProcessIdentity): boolean {
  return identify(pid)?.startTime === startTime;
}

/** The command line of a process, or `null` when it has none or has ended. */
export function commandLine(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ps(pid, 'command');
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM'; // it runs, as another user
  }
}

function fromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    return state === 'Z' || state === 'X' || startTime === undefined ? null : startTime;
  } catch {
    return null;
  }
}

function fromPs(pid: number): string | null {
  if (ps(pid, 'stat')?.startsWith('Z') ?? true) return null;
  const started = ps(pid, 'lstart');
  return started === null ? null : String(Date.parse(started));
}

function ps(pid: number, column: string): string | null {
  const { status, stdout } = spawnSync('ps', ['-p', String(pid), '-o', `${column}=`], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : null;
}
