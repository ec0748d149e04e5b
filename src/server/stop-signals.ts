export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C can arrive several times: from the terminal, from npm and from the launcher. */
const SAME_WISH_MS = 500;

/** That this process stops, and that it stops without waiting. */
export interface StopWish {
  readonly stop: AbortSignal;
  readonly hurry: AbortSignal;
}

/** A wish whose first consequence is put off. */
export interface DelayableWish extends StopWish {
  /** Aborted after `seconds`, or by the next signal, which then ends the delay and nothing else. */
  delay(seconds: number): AbortSignal;
}

/** Turns the signals of the operator into a wish to stop, and a repeated one into a wish to hurry. */
export class StopSignals implements DelayableWish {
  private readonly stopping = new AbortController();
  private readonly hurrying = new AbortController();
  private latestAt = 0;
  private reload: (() => void) | null = null;
  private endDelay: (() => void) | null = null;

  readonly stop = this.stopping.signal;
  readonly hurry = this.hurrying.signal;

  constructor(private readonly now: () => number = Date.now) {
    for (const name of SIGNALS) {
      process.on(name, () => {
        this.receive(name);
      });
    }
  }

  /**
   * From now on SIGHUP is no wish to stop, except on a terminal, whose end it tells there: it calls `reload`, as is the
   * custom of servers.
   */
  reloadOnHangUp(reload: () => void): void {
    if (!process.stdin.isTTY && !process.stdout.isTTY) this.reload = reload;
  }

  delay(seconds: number): AbortSignal {
    const over = new AbortController();
    const end = (): void => {
      clearTimeout(timer);
      this.endDelay = null;
      over.abort();
    };
    const timer = setTimeout(end, seconds * 1000);
    timer.unref(); // the open port keeps the process alive; after a failure nothing should
    this.endDelay = end;
    return over.signal;
  }

  receive(reason: string): void {
    if (reason === 'SIGHUP' && this.reload !== null) this.reload();
    else if (!this.stop.aborted) {
      this.latestAt = this.now();
      this.stopping.abort(reason);
    } else if (this.now() - this.latestAt > SAME_WISH_MS) {
      this.latestAt = this.now();
      if (this.endDelay === null) this.hurrying.abort(reason);
      else this.endDelay();
    }
  }
}
