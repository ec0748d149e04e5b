/** A clock that was set back by more than this is followed: its entries belong where it says; microseconds. */
const SET_BACK = 1_000_000;
/** Of a millisecond, which is what the clock of the system gives. */
const LAST_MICROSECOND = 0.999;

/**
 * Times of entries, to the microsecond as the database writes its own, and each later than the one before: entries with
 * one time would be listed by their random ids.
 */
export class AuditClock {
  /** What is added to the steady clock; corrected whenever the other one says that it is in another millisecond. */
  private offset = performance.timeOrigin;
  private last = 0;

  /** Both in milliseconds; `steady` with a fraction. */
  constructor(
    private readonly wall: () => number = Date.now,
    private readonly steady: () => number = () => performance.now(),
  ) {}

  /** RFC 3339, in UTC. */
  next(): string {
    const [wall, steady] = [this.wall(), this.steady()];
    const now = Math.min(Math.max(steady + this.offset, wall), wall + LAST_MICROSECOND);
    this.offset = now - steady;
    const micros = Math.floor(now * 1000);
    this.last = this.last - micros > SET_BACK ? micros : Math.max(micros, this.last + 1);
    const fraction = String(this.last % 1000).padStart(3, '0');
    return new Date(Math.floor(this.last / 1000)).toISOString().replace('Z', `${fraction}Z`);
  }
}

/** This process's. */
export const CLOCK = new AuditClock();
