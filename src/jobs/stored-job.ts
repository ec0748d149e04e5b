/** What a job is to its administrator, and what pg-boss calls it. */
export const STATES = {
  waiting: 'created',
  running: 'active',
  retrying: 'retry',
  done: 'completed',
  cancelled: 'cancelled',
  failed: 'failed',
} as const;

export type JobState = keyof typeof STATES;

export const JOB_STATES = Object.keys(STATES) as JobState[];

/** A row of the queue. */
export interface StoredJob {
  readonly id: string;
  readonly name: string;
  readonly stored: (typeof STATES)[JobState];
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly retries: number;
  readonly retryLimit: number;
  readonly createdAt: Date;
  readonly dueAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly output: unknown;
  /** Of `createdAt`, since 1970. */
  readonly micros: number;
}

export interface JobProgress {
  readonly done: number;
  readonly total: number | null;
}

export function stateOf({ stored }: StoredJob): JobState {
  return JOB_STATES.find((state) => STATES[state] === stored) ?? 'failed';
}

export function hasEnded(job: StoredJob): boolean {
  return job.endedAt !== null;
}

/** `null` where the handler tells of none. */
export function progressOf({ output }: StoredJob): JobProgress | null {
  if (!isRecord(output) || typeof output['done'] !== 'number') return null;
  return { done: output['done'], total: typeof output['total'] === 'number' ? output['total'] : null };
}

/** Why the last attempt failed; `null` when it did not. */
export function problemOf({ output }: StoredJob): string | null {
  if (!isRecord(output)) return null;
  // pg-boss wraps what it says itself, as of a node that died.
  const said = isRecord(output['value']) ? output['value'] : output;
  return typeof said['message'] === 'string' ? said['message'] : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
