import { expect, it, jest } from '@jest/globals';
import { StopSignals } from './stop-signals.js';

it('takes SIGHUP for a wish to stop, or to reload where that is of use', () => {
  const reload = jest.fn();
  const signals = new StopSignals();
  signals.reloadOnHangUp(reload);
  signals.receive('SIGHUP');
  expect([reload.mock.calls.length, signals.stop.aborted]).toEqual([1, false]);
  const plain = new StopSignals();
  plain.receive('SIGHUP');
  expect(plain.stop.aborted).toBe(true);
});

it('takes one Ctrl-C that arrives three times for one, and a later one for a wish to hurry', () => {
  let now = 0;
  const signals = new StopSignals(() => now);
  for (const reason of ['SIGINT', 'SIGINT', 'SIGTERM']) signals.receive(reason);
  expect([signals.stop.aborted, signals.hurry.aborted]).toEqual([true, false]);
  now = 1_000;
  signals.receive('SIGINT');
  expect(signals.hurry.aborted).toBe(true);
});
