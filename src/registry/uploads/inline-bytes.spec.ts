import { describe, expect, it } from '@jest/globals';
import { RecentInlineBytes } from './inline-bytes.js';

const KEY = { id: '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58', repoId: 7, principal: 'user:1' };
const bytes = (text: string): Buffer => Buffer.from(text);

describe('inline bytes that this node has just written', () => {
  it('are given once, and only to whom the upload belongs', () => {
    const heads = new RecentInlineBytes();
    heads.keep(KEY, bytes('hello'), { epoch: 2, received: 5 });
    expect(heads.take({ ...KEY, repoId: 8 })).toBeNull();
    expect(heads.take({ ...KEY, principal: 'user:2' })).toBeNull();
    expect(heads.take(KEY)).toMatchObject({ bytes: bytes('hello'), epoch: 2 });
    expect(heads.take(KEY)).toBeNull();
  });

  it('grow while all of their bytes came here', () => {
    const heads = new RecentInlineBytes();
    heads.keep(KEY, bytes('hello'), { epoch: 2, received: 5 });
    heads.keep(KEY, bytes(' world'), { epoch: 4, received: 11 });
    expect(heads.take(KEY)).toMatchObject({ bytes: bytes('hello world'), epoch: 4 });
  });

  it('are forgotten when another node has brought some of them', () => {
    const heads = new RecentInlineBytes();
    heads.keep(KEY, bytes('hello'), { epoch: 2, received: 5 });
    heads.keep(KEY, bytes('!'), { epoch: 6, received: 12 });
    expect(heads.take(KEY)).toBeNull();
    heads.keep(KEY, bytes('more'), { epoch: 8, received: 16 });
    expect(heads.take(KEY)).toBeNull();
  });
});
