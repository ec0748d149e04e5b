import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { limitBodyTime } from './body-deadline.js';

function begin(headers: Record<string, string>): PassThrough {
  const request = Object.assign(new PassThrough(), { headers });
  const next = jest.fn();
  limitBodyTime(request as unknown as Request, null, next);
  expect(next).toHaveBeenCalledWith();
  return request;
}

describe('the time for a body of the management API', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([{ 'content-length': '10' }, { 'transfer-encoding': 'chunked' }])('ends with %j', (headers) => {
    const request = begin(headers);
    request.write('{"a":');
    jest.advanceTimersByTime(19_000);
    expect(request.destroyed).toBe(false);
    jest.advanceTimersByTime(2_000);
    expect(request.destroyed).toBe(true);
  });

  it.each([{}, { 'content-length': '0' }])('is not counted for %j', (headers) => {
    begin(headers);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not counted any more once the body is there', async () => {
    const request = begin({ 'content-length': '2' });
    request.resume().end('{}');
    await new Promise((resolve) => request.once('close', resolve));
    expect(jest.getTimerCount()).toBe(0);
  });
});
