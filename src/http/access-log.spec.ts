import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Request, Response } from 'express';
import { PassThrough } from 'node:stream';
import type { AppConfig } from '../config/config.js';
import { AccessLog } from './access-log.js';
import { forwardLines } from './log-output.js';

const CONFIG = { server: { logLevel: 'info', worker: null } } as unknown as AppConfig;

/** Answers a request of `agent` to `path`. */
function answer(log: AccessLog, agent: string, path = '/v2/'): void {
  const context = { id: 'id', startedAt: 0n, bytes: 0, trace: null, principal: null, target: null, error: null };
  const request = { method: 'GET', originalUrl: path, headers: { 'user-agent': agent }, context };
  const response = Object.assign(new EventEmitter(), { statusCode: 200, writableFinished: true });
  log.observe(request as unknown as Request, response as unknown as Response);
  response.emit('close');
}

describe('the log', () => {
  let written: string;
  let waiting: number;

  beforeEach(() => {
    [written, waiting] = ['', 0];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
    Object.defineProperty(process.stdout, 'writableLength', { configurable: true, get: () => waiting });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    delete (process.stdout as { writableLength?: number }).writableLength;
  });

  const lines = (): Record<string, unknown>[] =>
    written
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('has no more of a client’s words than a line needs', () => {
    const log = new AccessLog(CONFIG);
    answer(log, 'a'.repeat(15_000), `/${'p'.repeat(15_000)}?secret`);
    log.onApplicationShutdown();
    expect(lines()).toMatchObject([{ agent: `${'a'.repeat(256)}…`, path: `/${'p'.repeat(1_023)}…` }]);
  });

  it('leaves requests out while its reader is behind, and says how many', () => {
    const log = new AccessLog(CONFIG);
    waiting = 9 << 20;
    for (let count = 0; count < 1_000; count += 1) answer(log, 'docker');
    log.onApplicationShutdown();
    expect(written).toBe('');
    waiting = 0;
    answer(log, 'docker');
    log.onApplicationShutdown();
    expect(lines()).toMatchObject([{ event: 'log.gap', msg: expect.stringMatching(/^1000 /) }, { event: 'request' }]);
  });

  it('takes no more from a worker while its reader is behind', () => {
    const worker = new PassThrough();
    forwardLines(worker);
    waiting = 9 << 20;
    worker.emit('data', 'one\n');
    expect(worker.isPaused()).toBe(true);
    process.stdout.emit('drain');
    expect(worker.isPaused()).toBe(false);
    expect(written).toBe('one\n');
  });
});
