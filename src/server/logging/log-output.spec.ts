import { expect, it } from '@jest/globals';
import { logOutput, requestText } from './log-output.js';

it('writes to stdout unless somebody reads at a terminal', () => {
  expect(logOutput()).toBe(process.stdout);
});

it('tells a reader of a request in one line, whatever is missing', () => {
  const line = {
    event: 'request',
    method: 'GET',
    path: '/v2/',
    status: 200,
    bytes: 2,
    ms: 1.5,
    user: 'admin',
    agent: 'x',
  };
  expect(requestText(line)).toBe('GET /v2/ 200 2 B 1.5 ms admin');
  expect(requestText({ ...line, user: undefined })).toBe('GET /v2/ 200 2 B 1.5 ms');
});
