import { describe, expect, it } from '@jest/globals';
import * as p from './parsers.js';

describe('parsers', () => {
  it.each([
    [p.size(1), '1', 1],
    [p.size(1), '256MiB', 256 * 2 ** 20],
    [p.size(1), '1 kB', 1000],
    [p.size(1), 4096, 4096],
    [p.duration(0, 1e9), '90', 90],
    [p.duration(0, 1e9), '15m', 900],
    [p.duration(0, 1e9), '7d', 604_800],
    [p.integer(1, 10), '10', 10],
    [p.boolean, true, true],
    [p.boolean, 'false', false],
    [p.listenAddress, '[::1]:0', { host: '::1', port: 0 }],
    [p.listenAddress, ':8080', { host: '0.0.0.0', port: 8080 }],
    [p.listenAddress, 'localhost:80', { host: 'localhost', port: 80 }],
    [p.origin('x'), 'https://r.example.com:443/', 'https://r.example.com'],
    [p.list(p.network), '10.0.0.0/8, ::1/128,', ['10.0.0.0/8', '::1/128']],
    [p.list(p.proxy), ['loopback', '10.0.0.1'], ['loopback', '10.0.0.1']],
    [p.corsOrigin, '*', '*'],
    [
      p.list(p.corsOrigin),
      'https://Console.example.com/, http://localhost:3000',
      ['https://console.example.com', 'http://localhost:3000'],
    ],
  ])('%# turn %j into its value', (parse: p.Parser<unknown>, raw: p.RawValue, value: unknown) => {
    expect(parse(raw)).toEqual(value);
  });

  it.each([
    [p.size(1), '12XiB'],
    [p.size(1), '-1'],
    [p.size(1), ['1']],
    [p.duration(0, 60), '2m'],
    [p.integer(1, 10), '1.5'],
    [p.integer(1, 10), '11'],
    [p.boolean, 'yes'],
    [p.listenAddress, '8080'],
    [p.listenAddress, 'host:70000'],
    [p.listenAddress, '[zz]:80'],
    [p.origin('x'), 'https://r.example.com/path'],
    [p.origin('x'), 'ftp://r.example.com'],
    [p.origin('x'), 'https://user@r.example.com'],
    [p.origin('x'), 'https://:password@r.example.com'],
    [p.corsOrigin, 'https://console.example.com/app'],
    [p.corsOrigin, 'https://console.example.com/?x'],
    [p.corsOrigin, 'https://*.example.com'],
    [p.corsOrigin, 'console.example.com'],
    [p.corsOrigin, '//console.example.com'],
    [p.corsOrigin, 'null'],
    [p.corsOrigin, 'file:///'],
    [p.network, '10.0.0.0/33'],
    [p.network, 'example.com'],
    [p.proxy, 'all'],
    [p.oneOf(['a', 'b']), 'c'],
  ])('%# refuse %j', (parse: p.Parser<unknown>, raw: p.RawValue) => {
    expect(() => parse(raw)).toThrow(p.InvalidValue);
  });

  it.each([
    [p.size(128 * 2 ** 20), '100MiB', 'must be a size of at least 128MiB, such as 256MiB'],
    [p.size(1), '0', 'must be a size of at least 1B, such as 1KiB'],
    [p.size(4 * 2 ** 20, 64 * 2 ** 20), '128MiB', 'must be a size from 4MiB to 64MiB'],
  ])('%# refuse %j with sizes that are right', (parse, raw, message) => {
    expect(() => parse(raw)).toThrow(message);
    for (const [named] of message.matchAll(/\d+\w+/g)) expect(parse(named)).toBeGreaterThan(0);
  });

  it.each([
    [p.listenAddress, '127.0.0.1:99999', /a port from 0 to 65535/],
    [p.list(p.corsOrigin), 'foo', /^must be \* or http/],
    [p.origin('https://r.example.com'), 'foo', /^must be http:.* no path, such as https:\/\/r\.example\.com$/],
  ])('%# refuse %j and say what would do', (parse: p.Parser<unknown>, raw, message) => {
    expect(() => parse(raw)).toThrow(message);
  });
});
