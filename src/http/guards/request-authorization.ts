import type { IncomingMessage } from 'node:http';

/** How long a judgement is good enough for a transaction to begin; milliseconds. */
const FRESH_MS = 1_000;

/**
 * The right of a request that was let in, by the facts of later on: a body may take hours, and the store some time after
 * it (docs/design/auth.md).
 */
export interface Authorization {
  /** Judges again where time has passed. `null`: there is nothing to wait for. Throws what the guard throws. */
  renew(): Promise<void> | null;
}

/** Made by the guard for each request that may change something. */
export class RequestAuthorization implements Authorization {
  private judgedAt = performance.now();
  /** A judgement that came after the last byte is as good as one of a request without a body. */
  private hadWhole: boolean;

  constructor(
    private readonly request: Pick<IncomingMessage, 'complete'>,
    private readonly judge: () => Promise<void>,
  ) {
    this.hadWhole = request.complete;
  }

  renew(): Promise<void> | null {
    return this.hadWhole && performance.now() - this.judgedAt < FRESH_MS ? null : this.again();
  }

  private async again(): Promise<void> {
    const [now, hasWhole] = [performance.now(), this.request.complete];
    await this.judge();
    this.judgedAt = now;
    this.hadWhole = hasWhole;
  }
}
