import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { currentShare, withoutShare, withShare } from './current-share.js';

it('is that of the request as long as it has not been answered, and not of what is done for others', async () => {
  const share = { namespace: 'acme', principal: 'user:7' };
  const request = { share, isAnswered: false };
  expect(currentShare()).toBeNull();
  await withShare(request, async () => {
    await sleep(1);
    expect(currentShare()).toBe(share);
    await withoutShare(async () => {
      await sleep(1);
      expect(currentShare()).toBeNull();
    });
    request.isAnswered = true;
    expect(currentShare()).toBeNull();
  });
});
