import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { anchorsOf, documents, read, relativeLinks, ROOT } from './markdown.js';

it.each(documents())('the links of %s lead somewhere', (document) => {
  const dead = relativeLinks(read(document)).filter((link) => !leadsSomewhere(document, link));
  expect(dead).toEqual([]);
});

function leadsSomewhere(document: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? document : path.posix.join(path.posix.dirname(document), decodeURI(file));
  if (!existsSync(path.join(ROOT, target))) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(read(target)).has(anchor);
}

it('the list of the design has every page', () => {
  const listed = relativeLinks(read('docs/design.md'));
  const pages = readdirSync(path.join(ROOT, 'docs/design'));
  expect(pages.filter((page) => !listed.includes(`design/${page}`))).toEqual([]);
});

it('anchors are made as GitHub makes them', () => {
  expect([...anchorsOf('# `npm start`: why?\n## A, b & c\n## A, b & c\n```sh\n# no heading\n```\n')]).toEqual([
    'npm-start-why',
    'a-b--c',
    'a-b--c-1',
  ]);
});

it('links are those of the prose', () => {
  const text = '[a](b.md#c) `[no](x.md)` [d](https://e.org) [f]\n\n[f]: g.md\n\n```sh\n[no](y.md)\n```\n';
  expect(relativeLinks(text)).toEqual(['b.md#c', 'g.md']);
});
