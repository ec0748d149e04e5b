import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, in which Linux reports times to programs: 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Positions in /proc/<pid>/stat (proc(5), counted from the state, which follows the name). */
const FIELD = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 } as const;

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of user and system time, of the process and of its children that have ended and were waited for. */
  readonly cpu: number;
}

/** One line of /proc/<pid>/stat. */
export function parseStat(line: string): ProcessStat {
  // The name stands in parentheses and may hold spaces and parentheses itself.
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .trim()
    .split(' ')
    .map(Number);
  const at = (field: number): number => fields[field] ?? NaN;
  const ticks = at(FIELD.user) + at(FIELD.system) + at(FIELD.childrenUser) + at(FIELD.childrenSystem);
  return { pid: Number.parseInt(line, 10), parent: at(FIELD.parent), cpu: ticks / TICKS_PER_SECOND };
}

/** Seconds of CPU that these processes and all their descendants have used, also those that have ended. */
export function cpuOfTrees(roots: readonly number[], stats: readonly ProcessStat[] = allProcesses()): number {
  const children = Map.groupBy(stats, ({ parent }) => parent);
  const byPid = new Map(stats.map((stat) => [stat.pid, stat]));
  const seen = new Set<number>();
  const open = [...roots];
  let seconds = 0;
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (seen.has(pid)) continue; // a root may be a descendant of another
    seen.add(pid);
    seconds += byPid.get(pid)?.cpu ?? 0;
    open.push(...(children.get(pid) ?? []).map((child) => child.pid));
  }
  return seconds;
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))];
      } catch {
        return []; // it ended meanwhile; its time is its parent's now
      }
    });
}
