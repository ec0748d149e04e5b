import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { epochKey, objectKeyOf, parseObjectKey, type KeyRole } from './object-keys.js';

describe('an object key', () => {
  it('is read back as it was made, in every role', () => {
    const stem = objectKeyOf(randomUUID());
    const roles: KeyRole[] = ['bytes', 'multipart', 'whole', 'unfinished'];
    const keys = [stem, ...roles.map((role) => epochKey(stem, 2_147_483_647, role))];
    expect(keys.map(parseObjectKey)).toEqual(keys);
    expect(new Set(keys).size).toBe(5);
  });

  it.each([
    '',
    '..',
    '/etc/passwd',
    '../00000000-0000-4000-8000-000000000000',
    '00/../../etc/passwd',
    '00/00000000-0000-4000-8000-000000000000/x',
    '00/00000000-0000-4000-8000-000000000000.',
    '00/00000000-0000-4000-8000-000000000000.1\n',
    '00/00000000-0000-4000-8000-000000000000.1.2',
    '00/00000000-0000-4000-8000-00000000000G',
  ])('is never %j', (text) => {
    expect(() => parseObjectKey(text)).toThrow(TypeError);
  });

  it('is made of nothing but an upload id', () => {
    expect(() => objectKeyOf('../../x')).toThrow(TypeError);
    expect(() => objectKeyOf(randomUUID().toUpperCase())).toThrow(TypeError);
  });
});
