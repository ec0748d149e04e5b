import { describe, expect, it } from '@jest/globals';
import { isImageConfig, readImageConfig } from './image-config.js';

const read = (value: unknown) => readImageConfig(Buffer.from(JSON.stringify(value)));

describe('the config of an image', () => {
  it('says what it runs on, when and by whom it was made, and its labels', () => {
    const config = {
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      created: '2026-01-02T03:04:05Z',
      author: 'somebody',
      config: { Labels: { version: '1', number: 2 } },
    };
    expect(read(config)).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      created: '2026-01-02T03:04:05Z',
      author: 'somebody',
      labels: { version: '1' },
    });
  });

  it('is none when it has more values than an image has use for', () => {
    const labels = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`label-${at}`, 'x']));
    expect(read({ os: 'linux', config: { Labels: labels(2_000) } })?.os).toBe('linux');
    expect(read({ os: 'linux', config: { Labels: labels(50_000) } })).toBeNull();
  });

  it('says nothing where its fields are missing or of other types', () => {
    const nothing = { os: null, architecture: null, variant: null, created: null, author: null, labels: {} };
    for (const value of [{}, { os: 1, architecture: 'a\u0000', created: {}, config: [], author: null }])
      expect(read(value)).toEqual(nothing);
  });

  it.each(['', 'no JSON', '[]', '"text"', '['.repeat(100)])('is not what %j is', (text) => {
    expect(readImageConfig(Buffer.from(text))).toBeNull();
  });

  it.each([
    ['application/vnd.oci.image.config.v1+json', true],
    ['application/vnd.docker.container.image.v1+json', true],
    ['application/vnd.cncf.helm.config.v1+json', false],
    [null, false],
  ])('has the type %s: %s', (mediaType, expected) => {
    expect(isImageConfig(mediaType)).toBe(expected);
  });
});
