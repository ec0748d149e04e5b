import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, ServiceUnavailableException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ErrorFilter } from './error.filter.js';

function answer(
  error: unknown,
  trace: string | null = null,
): { readonly status: number; readonly headers: Map<string, unknown> } {
  const headers = new Map<string, unknown>();
  const response = {
    headersSent: false,
    statusCode: 200,
    setHeader: (name: string, value: unknown) => headers.set(name.toLowerCase(), value),
    writeHead(status: number) {
      response.statusCode = status;
    },
    end: () => undefined,
  };
  const context = { id: 'request-1', trace };
  const request = { path: '/v2/', originalUrl: '/v2/', method: 'GET', headers: {}, complete: true, context };
  new ErrorFilter().write(error, request as unknown as Request, response as unknown as Response);
  return { status: response.statusCode, headers };
}

describe('ErrorFilter', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    ['here', new ServiceUnavailableException()],
    ['of one row', Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' })],
  ])('notes in one line that too much was asked at once %s, without a stack', (_where, failure) => {
    const [warn, error] = [jest.spyOn(Logger.prototype, 'warn'), jest.spyOn(Logger.prototype, 'error')];
    const { status, headers } = answer(failure);
    expect([status, headers.get('retry-after')]).toEqual([503, '5']);
    expect(error).not.toHaveBeenCalled();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(warn.mock.calls)).not.toContain(' at ');
  });

  it('logs with its stack what went wrong elsewhere', () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    expect(answer(Object.assign(new Error('no database'), { code: 'ECONNREFUSED' })).status).toBe(503);
    expect(error).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(error.mock.calls)).toContain('no database');
    expect(error.mock.calls[0]?.[0]).not.toHaveProperty('trace');
  });

  it('names the trace of what went wrong, where there is one', () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    answer(new Error('a bug'), '0af7651916cd43dd8448eb211c80319c');
    expect(error.mock.calls[0]?.[0]).toMatchObject({
      requestId: 'request-1',
      trace: '0af7651916cd43dd8448eb211c80319c',
    });
  });
});
