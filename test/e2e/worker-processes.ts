import { existsSync, readFileSync } from 'node:fs';
import type { Registry } from '../support/registry.js';

/** The processes that serve, in the order in which they were started. */
export function workersOf({ pid }: Registry): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number);
  return children.filter((child) => commandOf(child).includes('main.js'));
}

export function commandOf(pid: number): string {
  return existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
}
