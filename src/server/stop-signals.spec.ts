import { expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
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

it('takes the second signal for a wish to end the delay, and the third for one to hurry', () => {
  let now = 0;
  const signals = new StopSignals(() => now);
  signals.receive('SIGTERM');
  const over = signals.delay(3_600);
  signals.receive('SIGTERM');
  expect([over.aborted, signals.hurry.aborted]).toEqual([false, false]);
  now = 1_000;
  for (const reason of ['SIGINT', 'SIGINT']) signals.receive(reason);
  expect([over.aborted, signals.hurry.aborted]).toEqual([true, false]);
  now = 2_000;
  signals.receive('SIGINT');
  expect(signals.hurry.aborted).toBe(true);
});

it('takes a signal after the delay for a wish to hurry', async () => {
  let now = 0;
  const signals = new StopSignals(() => now);
  signals.receive('SIGTERM');
  await once(signals.delay(0), 'abort');
  now = 1_000;
  signals.receive('SIGTERM');
  expect(signals.hurry.aborted).toBe(true);
});
