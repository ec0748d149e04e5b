// needs: helm-docs
import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { needProgram, scratchDirectory } from '../support/processes.js';
import { CHART } from './chart.js';

it("the chart's README is what its values say (UPDATE_EXAMPLES=1 writes it)", async () => {
  const copy = path.join(scratchDirectory('chart'), 'aerugo');
  cpSync(CHART, copy, { recursive: true });
  // The order of values.yaml is the order in which one decides.
  const args = ['--chart-search-root', copy, '--sort-values-order', 'file', '--log-level', 'warning'];
  await promisify(execFile)(needProgram('helm-docs'), args);
  if (process.env['UPDATE_EXAMPLES'] === '1') cpSync(path.join(copy, 'README.md'), path.join(CHART, 'README.md'));
  expect(readFileSync(path.join(CHART, 'README.md'), 'utf8')).toBe(readFileSync(path.join(copy, 'README.md'), 'utf8'));
});
