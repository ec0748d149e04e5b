import type { Target } from './targets.ts';

export interface Workload {
  readonly name: string;
  readonly unit: string;
  /** Whether more or less of the unit is better. */
  readonly better: 'more' | 'less';
  /** Ours ÷ docker-registry's: at least (more) or at most (less) this. */
  readonly goal: number;
  /** Once a target, before its first round. */
  prepare?(target: Target): Promise<void>;
  /** One round; the measured figure in `unit`. */
  run(target: Target, round: number): Promise<number>;
}
