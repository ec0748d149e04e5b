import { describe, expect, it } from '@jest/globals';
import {
  contentRange,
  MAX_RANGES,
  parseByteRange,
  parseByteRanges,
  parseChunkRange,
  rangeLength,
  uploadRange,
} from './content-range.js';

describe('the Content-Range of a chunk', () => {
  it.each(['0-4', ' 0-4 '])('is read from %j', (header) => {
    expect(parseChunkRange(header)).toEqual({ start: 0, end: 4 });
  });

  it('counts both ends', () => {
    expect(rangeLength(parseChunkRange('5-5'))).toBe(1);
    expect(rangeLength(parseChunkRange('0-1048575'))).toBe(1_048_576);
  });

  it.each([
    '',
    '-',
    '0-',
    '-4',
    '4-0',
    'a-b',
    '0-4-8',
    'bytes 0-4/*',
    'bytes 0-4/5',
    'bytes=0-4',
    '0,4',
    '0-4/x',
    '0x0-4',
    '1e3-2e3',
    '0--4',
    '99999999999999999-99999999999999999',
    '9007199254740993-9007199254740993',
  ])('is refused when it is %j', (header) => {
    expect(() => parseChunkRange(header)).toThrow(expect.objectContaining({ condition: 'contentRangeInvalid' }));
  });
});

describe('the Range of an upload', () => {
  it.each([
    [0, '0-0'],
    [1, '0-0'],
    [5, '0-4'],
  ])('with %d bytes is %s', (offset, range) => {
    expect(uploadRange(offset)).toBe(range);
  });
});

describe('the Range of a blob GET', () => {
  it.each([
    ['bytes=0-4', { start: 0, end: 4 }],
    ['bytes=5-', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-30', { start: 0, end: 9 }],
    ['bytes=0-99999999999999999999', { start: 0, end: 9 }],
    ['bytes=9-9', { start: 9, end: 9 }],
    ['Bytes=0-0', { start: 0, end: 0 }],
  ])('%s of ten bytes is %j', (header, range) => {
    expect(parseByteRange(header, 10)).toEqual(range);
  });

  it.each([undefined, '', 'bytes', 'bytes=', 'bytes=-', 'bytes=a-b', 'lines=0-4', 'bytes 0-4'])(
    'is ignored when it is %j: the whole blob is the answer',
    (header) => {
      expect(parseByteRange(header, 10)).toBeNull();
    },
  );

  it.each([
    ['bytes=10-', 10],
    ['bytes=10-12', 10],
    ['bytes=99999999999999999999-', 10],
    ['bytes=-0', 10],
    ['bytes=5-3', 10],
    ['bytes=0-', 0],
    ['bytes=0-0', 0],
  ])('%s of %d bytes cannot be satisfied, and the answer tells the size', (header, size) => {
    expect(() => parseByteRange(header, size)).toThrow(
      expect.objectContaining({ condition: 'rangeNotSatisfiable', headers: { 'Content-Range': `bytes */${size}` } }),
    );
  });

  it('gives the whole of an empty blob for its last bytes', () => {
    expect(parseByteRange('bytes=-5', 0)).toBeNull();
  });

  it('never leaves the blob, whatever is asked', () => {
    for (let size = 1; size < 6; size += 1) {
      for (let first = 0; first < size; first += 1) {
        for (let last = first; last < 8; last += 1) {
          const range = parseByteRange(`bytes=${first}-${last}`, size);
          expect(range).toEqual({ start: first, end: Math.min(last, size - 1) });
        }
      }
    }
  });

  it.each([
    ['bytes=0-1,3-4', ['0-1', '3-4']],
    ['bytes=0-1, 3-4 ,\t8-', ['0-1', '3-4', '8-9']],
    ['bytes=8-8,0-1,-1', ['8-8', '0-1', '9-9']],
    ['bytes=0-4,0-4', ['0-4', '0-4']],
    ['bytes=0-1,20-30', ['0-1']],
    ['bytes=20-30,-0,9-', ['9-9']],
    ['bytes=,0-1,,', ['0-1']],
    ['bytes=0-1', ['0-1']],
    ['bytes=0-4,5-9', ['0-4', '5-9']],
  ])('%j asks for %j of ten bytes', (header, expected) => {
    const ranges = parseByteRanges(header, 10)?.map(({ start, end }) => `${start}-${end}`);
    expect(ranges).toEqual(expected);
  });

  it.each([
    undefined,
    'bytes=0-1,a-b',
    'bytes=0-1,3-2',
    'bytes=0-1,-',
    'bytes=0-1,5',
    'lines=0-1,3-4',
    'bytes=,',
    'bytes=0-9,0-0',
    'bytes=0-,0-',
    `bytes=${'0-0,'.repeat(1025)}`,
  ])('is ignored when it is %j', (header) => {
    expect(parseByteRanges(header, 10)).toBeNull();
  });

  it('may have as many ranges as podman asks for', () => {
    const header = `bytes=${Array.from({ length: MAX_RANGES }, (_, index) => `${2 * index}-${2 * index}`).join()}`;
    expect(parseByteRanges(header, 2 * MAX_RANGES)).toHaveLength(MAX_RANGES);
    expect(parseByteRanges(`${header},${2 * MAX_RANGES}-`, 3 * MAX_RANGES)).toBeNull();
  });

  it.each(['bytes=10-,20-30', 'bytes=-0,-0', 'bytes=5-3'])('%s of ten bytes cannot be satisfied', (header) => {
    expect(() => parseByteRanges(header, 10)).toThrow(expect.objectContaining({ condition: 'rangeNotSatisfiable' }));
  });

  it('is told back as Content-Range', () => {
    expect(contentRange({ start: 0, end: 4 }, 10)).toBe('bytes 0-4/10');
  });
});
