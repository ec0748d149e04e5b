import type { Logger } from 'pino';
import type { RequestTraces } from '../../http/request-traces.js';

/** What makes and sends the spans of this process. */
export interface Traces extends RequestTraces {
  /** Where it says what is wrong with its variables, and when the collector is away. */
  tell(log: Logger): void;
  /** Sends what is left, for a moment. It never throws. */
  close(): Promise<void>;
}
