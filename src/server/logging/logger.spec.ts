import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { StartupError } from '../../config/startup-error.js';
import { LOG_SERIALIZERS, NestLog } from './logger.js';

function logged(tell: (log: NestLog) => void, level = 'trace'): Record<string, unknown>[] {
  const lines: string[] = [];
  tell(
    new NestLog(
      pino(
        { level, base: null, timestamp: false, serializers: LOG_SERIALIZERS },
        { write: (line) => void lines.push(line) },
      ),
    ),
  );
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the log behind Nest's", () => {
  it('keeps who spoke', () => {
    expect(
      logged((log) => {
        log.warn('careful', 'Uploads');
      }),
    ).toEqual([{ level: 40, context: 'Uploads', msg: 'careful' }]);
  });

  it('keeps the stack of an error', () => {
    const [line] = logged((log) => {
      log.error('broken', 'Error: at x', 'Uploads');
    });
    expect(line).toMatchObject({ level: 50, msg: 'broken', stack: 'Error: at x' });
    const [thrown] = logged((log) => {
      log.error(new TypeError('oh'), 'Uploads');
    });
    expect(thrown).toMatchObject({ msg: 'oh', err: { type: 'TypeError', stack: expect.stringContaining('oh') } });
  });

  it('leaves out why a start fails: whoever called for it says so', () => {
    expect(
      logged((log) => {
        log.error(new StartupError('the bucket is missing: make it'), 'ExceptionHandler');
      }),
    ).toEqual([]);
  });

  it('keeps no value of a failed statement, nor of what caused it', () => {
    const cause = Object.assign(new Error('duplicate key'), { detail: 'Key (hash)=(secret)' });
    const failed = Object.assign(new Error('query failed', { cause }), { parameters: ['secret'] });
    const [line] = logged((log) => {
      log.error(failed, 'Uploads');
    });
    expect(line).toMatchObject({ err: { message: 'query failed' } });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it('merges fields into the line', () => {
    expect(
      logged((log) => {
        log.log({ event: 'swept', count: 3 }, 'Uploads');
      }),
    ).toEqual([{ level: 30, context: 'Uploads', event: 'swept', count: 3 }]);
  });

  it('does not list every module and route at each start', () => {
    expect(
      logged((log) => {
        log.log('Mapped {/v2, GET} route', 'RouterExplorer');
      }, 'info'),
    ).toEqual([]);
  });
});
