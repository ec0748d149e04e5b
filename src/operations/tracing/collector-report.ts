import type { Logger } from 'pino';
import type { ExportObserver } from './clean-exporter.js';

/** A collector that comes and goes must not fill the log either. Milliseconds. */
const QUIET_MS = 60_000;

/** One line when the collector is away, and one when it is there again. */
export class CollectorReport implements ExportObserver {
  log: Logger | null = null;
  private isAway = false;
  private quietUntil = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {}

  failed(error: Error | undefined): void {
    if (this.isAway || this.now() < this.quietUntil) return;
    this.isAway = true;
    this.quietUntil = this.now() + QUIET_MS;
    const reason = error === undefined ? '' : `: ${error.message.split('\n', 1)[0] ?? ''}`;
    this.log?.warn({ event: 'traces.lost' }, `traces do not reach the collector and are dropped${reason}`);
  }

  succeeded(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.log?.info({ event: 'traces.sent' }, 'traces reach the collector again');
  }
}
