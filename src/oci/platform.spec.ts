import { describe, expect, it } from '@jest/globals';
import type { Descriptor } from './descriptor.js';
import { platformsOf, platformText } from './platform.js';

const descriptor = (os: string | null, architecture: string | null, variant: string | null = null) =>
  ({ platform: { os, architecture, variant } }) as Descriptor;

describe('a platform', () => {
  it.each([
    ['linux', 'amd64', null, 'linux/amd64'],
    ['linux', 'arm', 'v7', 'linux/arm/v7'],
    ['linux', null, null, null],
    [null, 'amd64', null, null],
    ['unknown', 'unknown', null, null],
  ])('%s, %s, %s is written as %s', (os, architecture, variant, text) => {
    expect(platformText({ os, architecture, variant })).toBe(text);
  });
});

describe('the platforms of an index', () => {
  it('are named once each, without children that have none', () => {
    const children = [descriptor('linux', 'arm64'), descriptor('unknown', 'unknown'), descriptor('linux', 'arm64')];
    expect(platformsOf([...children, { platform: null } as Descriptor, descriptor('windows', 'amd64')])).toEqual([
      'linux/arm64',
      'windows/amd64',
    ]);
  });

  it('are at most a hundred', () => {
    expect(platformsOf(Array.from({ length: 500 }, (_, at) => descriptor('linux', `a${at}`)))).toHaveLength(100);
  });
});
