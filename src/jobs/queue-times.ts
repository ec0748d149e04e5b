/**
 * A node that died is followed by another after its heartbeat, a look at heartbeats, the first retry's delay and a poll:
 * 10 + 5 + 2 + 5 s at most, as long as it was the job's first attempt.
 */
export const QUEUE_TIMES = {
  /** A job whose node has not told of it for this long is another's; the least that pg-boss takes. */
  heartbeatSeconds: 10,
  /** How often it tells, and learns that the job was cancelled or taken over. */
  refreshSeconds: 3,
  /** How often some node looks for jobs whose heartbeat has stopped. */
  superviseSeconds: 5,
  /** How often a process asks for jobs of a kind; what it enqueues itself it takes at once. */
  pollSeconds: 5,
  /** How often some node looks whether a schedule is due. */
  cronSeconds: 30,
} as const;
