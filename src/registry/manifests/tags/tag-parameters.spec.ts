import { describe, expect, it } from '@jest/globals';
import { readTags } from './tag-parameters.js';

describe('tag parameters', () => {
  it.each([
    [undefined, []],
    ['v1', ['v1']],
    [
      ['v1', 'latest', 'v1'],
      ['v1', 'latest'],
    ],
  ])('%j are %j', (parameter, tags) => {
    expect(readTags(parameter)).toEqual(tags);
  });

  it.each([[''], ['-bad'], [['good', 'b ad']], [{ deep: 'x' }]])('%j are refused', (parameter) => {
    expect(() => readTags(parameter)).toThrow(expect.objectContaining({ condition: 'tagInvalid' }));
  });

  it('are at most 100', () => {
    const tags = Array.from({ length: 101 }, (_, index) => `v${index}`);
    expect(readTags(tags.slice(1))).toHaveLength(100);
    expect(() => readTags(tags)).toThrow(expect.objectContaining({ condition: 'tooManyTags', status: 414 }));
  });
});
