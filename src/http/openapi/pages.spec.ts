import { describe, expect, it } from '@jest/globals';
import { mayDemandTls } from './pages.js';

describe('whether browsers are told to come back with TLS only', () => {
  const TABLE = [
    ['https://registry.example.com', true],
    ['https://registry.example.com:8443', false],
    ['http://registry.example.com', false],
    ['https://localhost', false],
    ['https://registry.localhost', false],
    ['https://registry', false],
    ['https://192.0.2.1', false],
    ['https://[2001:db8::1]', false],
    [null, false],
  ] as const;
  it.each(TABLE)('PUBLIC_URL=%s: %s', (publicUrl, expected) => {
    expect(mayDemandTls(publicUrl)).toBe(expected);
  });
});
