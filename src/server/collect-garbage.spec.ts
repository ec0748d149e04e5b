import { expect, it } from '@jest/globals';
import { collectGarbage } from './collect-garbage.js';

it('what nobody holds any more is gone after a collection', async () => {
  const left = new WeakRef(Buffer.allocUnsafeSlow(1024 * 1024));
  // A reference lives on until the turn in which it was made has ended.
  await new Promise((resolve) => setImmediate(resolve));
  await collectGarbage();
  expect(left.deref()).toBeUndefined();
});
