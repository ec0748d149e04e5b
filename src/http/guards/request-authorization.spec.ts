import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RequestAuthorization } from './request-authorization.js';

let judged: number;
const judge = (): Promise<void> => {
  judged += 1;
  return Promise.resolve();
};

beforeEach(() => {
  judged = 0;
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the authorization of a request', () => {
  it('is judged again once when the body came after the first judgement', async () => {
    const request = { complete: false };
    const authorization = new RequestAuthorization(request, judge);
    request.complete = true;
    await authorization.renew();
    expect(judged).toBe(1);
    expect(authorization.renew()).toBeNull();
  });

  it('costs nothing when the body came with the head', () => {
    expect(new RequestAuthorization({ complete: true }, judge).renew()).toBeNull();
    expect(judged).toBe(0);
  });

  it('is judged again when the work has taken long', async () => {
    const authorization = new RequestAuthorization({ complete: true }, judge);
    jest.advanceTimersByTime(999);
    expect(authorization.renew()).toBeNull();
    jest.advanceTimersByTime(1);
    await authorization.renew();
    expect(judged).toBe(1);
  });

  it('stays in doubt when it was refused', async () => {
    let isGone = true;
    const authorization = new RequestAuthorization({ complete: false }, () =>
      isGone ? Promise.reject(new Error('gone')) : judge(),
    );
    await expect(authorization.renew()).rejects.toThrow('gone');
    isGone = false;
    await authorization.renew();
    expect(judged).toBe(1);
  });
});
