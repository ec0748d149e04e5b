import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { CollectorReport } from './collector-report.js';

function watched() {
  const lines: string[] = [];
  let now = 0;
  const report = new CollectorReport(() => now);
  report.log = pino({ base: null }, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  return { report, lines, wait: (milliseconds: number) => void (now += milliseconds) };
}

const LOST = 'traces do not reach the collector and are dropped: connect ECONNREFUSED';

it('says once that the collector is away, and once that it is there again', () => {
  const { report, lines } = watched();
  report.succeeded();
  for (let count = 0; count < 5; count += 1) report.failed(new Error('connect ECONNREFUSED\nand a stack'));
  report.succeeded();
  report.succeeded();
  expect(lines).toEqual([LOST, 'traces reach the collector again']);
});

it('says nothing more for a minute of one that comes and goes', () => {
  const { report, lines, wait } = watched();
  for (let count = 0; count < 60; count += 1) {
    report.failed(new Error('connect ECONNREFUSED'));
    report.succeeded();
    wait(1_999);
  }
  expect(lines.filter((line) => line === LOST)).toHaveLength(2);
});
