import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PLACES = ['.', 'docs', 'helm', '.github'];

/** Every Markdown file that somebody reads, by its path from the root. */
export function documents(): string[] {
  return PLACES.flatMap((place) =>
    existsSync(path.join(ROOT, place))
      ? readdirSync(path.join(ROOT, place), { encoding: 'utf8', recursive: place !== '.' })
          .filter((file) => file.endsWith('.md'))
          .map((file) => path.posix.join(place, file))
      : [],
  ).sort();
}

export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

export interface Block {
  readonly document: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What the comments say that stand directly before it, first one first. */
  readonly marks: readonly string[];
}

const FENCE = /^( *)(`{3,}|~{3,})(\S*)[^\n]*\n(.*?)^\1\2`*$/gms;
const COMMENTS_BEFORE = /(?:<!--(?:(?!-->)[^])*-->\s*)+$/;

export function blocksOf(document: string, text = read(document)): Block[] {
  return [...text.matchAll(FENCE)].map(({ index, 3: language = '', 4: body = '' }) => {
    const before = text.slice(0, index);
    const comments = COMMENTS_BEFORE.exec(before)?.[0] ?? '';
    const marks = [...comments.matchAll(/<!--\s*([^]*?)\s*-->/g)].map(([, mark = '']) => mark.replace(/\s+/g, ' '));
    return { document, line: before.split('\n').length, language, text: body, marks };
  });
}

/** The anchors that GitHub gives the headings. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${slug}-${copy}`;
    anchors.add(anchor);
  }
  for (const [, id = ''] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** Where the links lead that stay inside the project. */
export function relativeLinks(text: string): string[] {
  const prose = withoutCode(text).replace(/`[^`\n]*`/g, '``');
  const inline = [...prose.matchAll(/\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)/g)];
  const referenced = [...prose.matchAll(/^ {0,3}\[[^\]]+\]: +<?(\S+?)>?$/gm)];
  return [...inline, ...referenced]
    .map(([, target = '']) => target)
    .filter((target) => !/^([a-z][a-z+.-]*:|\/\/)/i.test(target));
}

function withoutCode(text: string): string {
  return text.replace(FENCE, '');
}
