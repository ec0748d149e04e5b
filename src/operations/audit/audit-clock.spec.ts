import { describe, expect, it } from '@jest/globals';
import { AuditClock } from './audit-clock.js';

/** Before this process began, so that each clock begins at the end of the millisecond. */
const NOON = Date.parse('2020-03-01T12:00:00Z');

describe('the clock of the audit log', () => {
  let wall = NOON;
  let steady = 0;

  function clockAt(start: number): AuditClock {
    [wall, steady] = [start, 5000];
    return new AuditClock(
      () => Math.floor(wall),
      () => steady,
    );
  }

  function after(clock: AuditClock, milliseconds: number): string {
    wall += milliseconds;
    steady += milliseconds;
    return clock.next();
  }

  it('has a later time for each entry, also when no time has passed', () => {
    const clock = clockAt(NOON);
    const first = clock.next();
    const fraction = Number(first.slice(-7, -1));
    expect(first).toMatch(/^2020-03-01T12:00:00\.000\d{3}Z$/);
    const times = Array.from({ length: 1500 }, () => clock.next());
    expect(times.map((time) => Number(time.slice(-7, -1)) - fraction)).toEqual(times.map((_, index) => index + 1));
  });

  it('tells microseconds apart within what the clock of the system calls one', () => {
    const clock = clockAt(NOON + 0.999);
    clock.next();
    const times = [after(clock, 0.1015), after(clock, 0.25), after(clock, 3)];
    expect(times).toEqual([
      '2020-03-01T12:00:00.001100Z',
      '2020-03-01T12:00:00.001350Z',
      '2020-03-01T12:00:00.004350Z',
    ]);
  });

  it('says what the clock of the system says when that was set, forward or back', () => {
    const clock = clockAt(NOON);
    clock.next();
    wall += 3_600_000;
    expect(clock.next()).toMatch(/^2020-03-01T13:00:00\.000/);
    wall -= 7_200_000;
    expect(clock.next()).toMatch(/^2020-03-01T11:00:00\.000/);
  });

  it('goes on a little at a time while the clock of the system is corrected by less than a second', () => {
    const clock = clockAt(NOON + 500);
    const before = clock.next();
    wall -= 400;
    const times = [before, clock.next(), clock.next()];
    expect(times).toEqual([...new Set(times)].sort());
    expect(times[2]).toMatch(/^2020-03-01T12:00:00\.50/);
  });

  it('is the time of the system otherwise', () => {
    const before = Date.now();
    const time = Date.parse(new AuditClock().next());
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });
});
