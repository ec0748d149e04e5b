import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Request, Response } from 'express';
import { PassThrough } from 'node:stream';
import type { AppConfig } from '../config/config.js';
import { AccessLog } from './access-log.js';
import { forwardLines } from '../server/logging/log-output.js';

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

describe('what the log leaves out and what it says', () => {
  let written: string;
  beforeEach(() => {
    written = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((written += String(text)), true));
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  interface Answer {
    readonly path: string;
    readonly status?: number;
    readonly isCut?: boolean;
    readonly sent?: number | null;
    readonly headersSent?: boolean;
  }

  function linesOf(logLevel: string, answers: readonly Answer[]): Record<string, unknown>[] {
    const log = new AccessLog({ server: { logLevel, worker: null } } as unknown as AppConfig);
    for (const { path, status = 200, isCut = false, sent = null, headersSent = true } of answers) {
      const context = { id: 'id', startedAt: 0n, bytes: 1_000, sent, trace: null, principal: null, target: null };
      const request = { method: 'GET', originalUrl: path, headers: {}, context };
      const response = Object.assign(new EventEmitter(), {
        ...{ statusCode: status, writableFinished: !isCut, headersSent },
      });
      log.observe(request as unknown as Request, response as unknown as Response);
      response.emit('close');
    }
    log.onApplicationShutdown();
    return written
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  const PROBES = ['/livez', '/readyz', '/api/v1/health'].flatMap((path) => [{ path }, { path, status: 503 }]);

  it('probes that succeed are not in it, those that fail are', () => {
    const lines = linesOf('info', [...PROBES, { path: '/livez', isCut: true }, { path: '/v2/' }]);
    expect(lines.map(({ path, status }) => `${String(path)} ${String(status)}`)).toEqual([
      '/livez 503',
      '/readyz 503',
      '/api/v1/health 503',
      '/livez 499',
      '/v2/ 200',
    ]);
  });

  it('probes that succeed are at the level debug', () => {
    const lines = linesOf('debug', PROBES);
    expect(lines.map(({ level, status }) => [level, status])).toEqual(
      Array.from({ length: 3 }, () => [
        [20, 200],
        [30, 503],
      ]).flat(),
    );
  });

  it('the bytes of an answer that was cut off are those that went out', () => {
    const lines = linesOf('info', [
      { path: '/v2/whole' },
      { path: '/v2/streamed', isCut: true, sent: 640 },
      { path: '/v2/unanswered', isCut: true, headersSent: false },
    ]);
    expect(lines.map(({ status, bytes }) => [status, bytes])).toEqual([
      [200, 1_000],
      [499, 640],
      [499, 0],
    ]);
  });
});
