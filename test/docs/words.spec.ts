import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { documents, read, ROOT } from './markdown.js';

/** Pronouns that hide the subject of a sentence: its text then has no term that can be looked up. */
const VAGUE = /\b([Ww]hoever|[Nn]obody|[Ss]omebody|[Aa]nybody|[Ee]verybody)\b/g;

function sources(): string[] {
  return readdirSync(path.join(ROOT, 'src'), { encoding: 'utf8', recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => path.posix.join('src', file));
}

it('the README can be read in a few minutes', () => {
  expect(read('README.md').split(/\s+/).length).toBeLessThanOrEqual(1500);
});

it('documents and comments name their subjects', () => {
  const pages = documents().filter((document) => document === 'README.md' || document.startsWith('docs/'));
  const found = [...pages, ...sources()].flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(VAGUE)].map(([word]) => `${file}: ${word}`),
  );
  // The user `nobody` is among them.
  if (found.length > 40) expect(found).toEqual([]);
});
