import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Block, blocksOf, read, ROOT } from './markdown.js';

/** Of the shell itself, or with no effect that anybody could rely on. */
const BUILT_IN =
  /^(cd|do|done|echo|export|for|if|fi|then|else|printf|set|source|true|umask|unset|wait|while|\[|\(|\)|\{|\})$/;

/** Every simple command of a block of shell, on one line each. */
export function commandsIn(text: string): string[] {
  return text
    .replace(/'[^']*'/g, (quoted) => quoted.replace(/\n/g, ' '))
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#\s.*$/, ''))
    .flatMap((line) => line.split(/\s+(?:\|\|?|&&?)(?:\s+|$)|;\s+/))
    .map((command) => command.trim().replace(/^(\w+=('[^']*'|"[^"]*"|\$\([^)]*\)|\S*)\s*)+/, ''))
    .filter((command) => command !== '' && !BUILT_IN.test(command.split(/\s/)[0] ?? ''));
}

/** `helm registry login` of `helm registry login --plain-http …`; of a script its file's name. */
export function nameOf(command: string): string[] {
  const words = command.replace(/^(bash|sh) (?=[\w./])/, '').split(/\s+/);
  words[0] = path.basename(words[0] ?? '');
  const end = words.findIndex((word, at) => at > 0 && !/^[a-z][a-z-]*$/.test(word));
  return words.slice(0, end < 0 ? 4 : Math.min(end, 4));
}

const DOCUMENT_MARK = /^<!-- every command here is run by (\S+) -->$/m;
const RUN_BY = /^run by (\S+?)(?:: (.*))?$/;
const NEEDS = /^needs ([^:]+)(?:: (.*))?$/;

/** What of a document's commands is neither run by a test nor marked, one sentence each. */
export function unproven(document: string, text = read(document)): string[] {
  const whole = DOCUMENT_MARK.exec(text)?.[1];
  const blocks = blocksOf(document, text);
  const foreign = blocks.filter(({ language }) => /^(bash|shell|console|zsh|shell-session)$/.test(language));
  return [
    ...foreign.map((block) => `${place(block)}: is shell, so the block is "sh", not "${block.language}"`),
    ...blocks
      .filter(({ language }) => language === 'sh')
      .flatMap((block) => (whole === undefined ? problemsOf(block) : problemsWith(whole, block, null))),
  ];
}

function problemsOf(block: Block): string[] {
  return commandsIn(block.text).flatMap((command) => {
    const mark = block.marks.find((one) => speaksOf(one, command));
    if (mark === undefined) return [`${place(block)}: no comment before the block says which test runs "${command}"`];
    if (NEEDS.test(mark)) return [];
    return problemsWith(RUN_BY.exec(mark)?.[1] ?? '', block, command);
  });
}

/** A mark is for the commands that begin as it says after its colon, or for all. */
function speaksOf(mark: string, command: string): boolean {
  const matched = RUN_BY.exec(mark) ?? NEEDS.exec(mark);
  if (matched === null) return false;
  const named = matched[2];
  return named === undefined || named.split(/,\s*/).some((beginning) => command.startsWith(beginning));
}

/** A test runs a command when it reads the document, or has the same words itself. */
function problemsWith(spec: string, block: Block, command: string | null): string[] {
  if (!existsSync(path.join(ROOT, spec))) return [`${place(block)}: there is no ${spec}`];
  const text = read(spec);
  if (text.includes(path.basename(block.document))) return [];
  return command !== null && hasWords(text, nameOf(command))
    ? []
    : [`${place(block)}: ${spec} does not run "${command ?? 'it'}"`];
}

/** `'registry', 'login'` beside `'helm'` in TypeScript, or the plain words in a script. */
function hasWords(text: string, [program = '', ...rest]: readonly string[]): boolean {
  const isNamed = text.split(/[^\w.-]+/).includes(program);
  const asList = rest.map((word) => `'${word}'`).join(', ');
  const plain = text.replace(/\s--?[\w-]+/g, ' ').replace(/[ \t]+/g, ' ');
  return (isNamed && text.includes(asList)) || plain.includes([program, ...rest].join(' '));
}

/** The blocks of a document that this test is to run, in the order of reading. */
export function blocksRunBy(spec: string, document: string): Block[] {
  return blocksOf(document).filter(({ marks }) => marks.some((mark) => RUN_BY.exec(mark)?.[1] === spec));
}

function place({ document, line }: Block): string {
  return `${document}:${line}`;
}
