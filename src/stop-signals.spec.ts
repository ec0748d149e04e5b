import { expect, it } from '@jest/globals';
import { StopSignals } from './stop-signals.js';

it('takes one Ctrl-C that arrives three times for one, and a later one for a wish to hurry', () => {
  let now = 0;
  const signals = new StopSignals(() => now);
  for (const reason of ['SIGINT', 'SIGINT', 'SIGTERM']) signals.receive(reason);
  expect([signals.stop.aborted, signals.hurry.aborted]).toEqual([true, false]);
  now = 1_000;
  signals.receive('SIGINT');
  expect(signals.hurry.aborted).toBe(true);
});
