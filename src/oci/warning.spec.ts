import { expect, it } from '@jest/globals';
import { MAX_WARNING_BYTES, warningHeaders } from './warning.js';

it('writes a warning with code 299, no agent and no date', () => {
  expect(warningHeaders(['This image is "old".'])).toEqual(['299 - "This image is \\"old\\"."']);
});

it('never sends more than 4,096 bytes in all', () => {
  const headers = warningHeaders(['a'.repeat(4000), 'b'.repeat(200), 'c'.repeat(50)]);
  expect(headers.map((header) => header[7])).toEqual(['a', 'c']);
  expect(headers.join('').length).toBeLessThanOrEqual(MAX_WARNING_BYTES);
});
