import { describe, expect, it } from '@jest/globals';
import { isOutage, isUnstorableText } from './failure-causes.js';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });

describe('isOutage', () => {
  it.each([
    ...['ECONNREFUSED', 'ECONNRESET', '08006', '57P01', '57P03', '53300', '53100', '57014', '25006', '40001', '40P01'],
    'store_unavailable',
  ])('takes %s for an outage', (code) => {
    expect(isOutage(withCode(code))).toBe(true);
  });

  it('knows a transaction whose connection was lost between two of its statements', () => {
    const texts = ['Query runner already released.', 'Connection provided by a query runner was already released'];
    expect(texts.map((text) => isOutage(new Error(text)))).toEqual([true, true]);
  });

  it.each(['23505', '42601', '22P02', 'EACCES', ''])('takes %s for a failure of our own', (code) => {
    expect(isOutage(withCode(code))).toBe(false);
  });

  it('looks behind the errors that wrap it', () => {
    expect(isOutage(Object.assign(new Error('query failed'), { driverError: withCode('57P01') }))).toBe(true);
    expect(isOutage(new Error('outer', { cause: withCode('ECONNREFUSED') }))).toBe(true);
  });

  it('survives an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(isOutage(error)).toBe(false);
  });

  it('says no to what is not an error', () => {
    expect(isOutage('ECONNREFUSED')).toBe(false);
  });
});

describe('isUnstorableText', () => {
  it('knows the refusal of U+0000, also behind the error of the query', () => {
    expect(isUnstorableText(Object.assign(new Error('query failed'), { driverError: withCode('22021') }))).toBe(true);
  });

  it.each(['22P02', '23505', 'ECONNRESET', ''])('says no to %s', (code) => {
    expect(isUnstorableText(withCode(code))).toBe(false);
  });
});
