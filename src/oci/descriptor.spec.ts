import { describe, expect, it } from '@jest/globals';
import { descriptorOrNull, readAnnotations, readDescriptor } from './descriptor.js';

const plain = { mediaType: 'application/x', digest: `sha256:${'0'.repeat(64)}`, size: 0 };

describe('a descriptor', () => {
  it('needs a media type, a digest and a size, which may be 0', () => {
    expect(readDescriptor(plain, 'config')).toEqual({ ...plain, platform: null, external: false });
  });

  it('keeps of a platform what is printable', () => {
    const platform = { os: 'linux', architecture: 'a\0b', variant: 7, 'os.version': '1' };
    expect(readDescriptor({ ...plain, platform }, 'x').platform).toEqual({
      os: 'linux',
      architecture: null,
      variant: null,
    });
    expect(readDescriptor({ ...plain, platform: 'linux' }, 'x').platform).toBeNull();
  });

  it('ignores fields that it does not know, and data that the client embedded', () => {
    expect(readDescriptor({ ...plain, data: 'e30=', extra: {} }, 'x')).toEqual(readDescriptor(plain, 'x'));
  });

  it.each([null, undefined, 'x', [], {}, { ...plain, mediaType: 'a\nb' }, { ...plain, mediaType: 'ä' }])(
    'is not %j',
    (value) => {
      expect(descriptorOrNull(value)).toBeNull();
      expect(() => readDescriptor(value, 'x')).toThrow(expect.objectContaining({ condition: 'descriptorInvalid' }));
    },
  );
});

it('reads only texts as annotations', () => {
  expect(readAnnotations({ a: 'b', c: 1, d: null })).toEqual({ a: 'b' });
  expect(readAnnotations(['a'])).toEqual({});
  expect(readAnnotations(undefined)).toEqual({});
});
