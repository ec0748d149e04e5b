import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { Header, Pax, type HeaderData } from 'tar';
import { errorCode } from '../../config/error-code.js';
import { CliError } from '../exit-codes.js';
import type { FileSlice } from './file-slice.js';

/** The files of a layout or an archive, by their names in it. */
export interface ImageFiles {
  /** `null` where there is none of this name. */
  find(name: string): Promise<FileSlice | null>;
}

const BLOCK = 512;
/** Of a header that extends the next one: a path is never longer. */
const MAX_EXTENSION = 1 << 20;
const MAX_LINKS = 8;
const COMPRESSED: readonly (readonly [string, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/** Throws `CliError` for what is neither a directory nor a tar archive. */
export async function openImageFiles(path: string): Promise<ImageFiles> {
  try {
    if ((await stat(path)).isDirectory()) return await directoryFiles(path);
    const file = await open(path);
    try {
      return archiveFiles(await readArchive(file, path));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot read ${path} (${errorCode(error)})`, 1, { cause: error });
  }
}

/** The directory's author may name, or link to, any file of the user who pushes it: only files inside are read. */
async function directoryFiles(path: string): Promise<ImageFiles> {
  const directory = await realpath(path);
  return {
    find: async (name) => {
      const named = join(directory, name);
      try {
        const file = await realpath(named);
        if (!file.startsWith(join(directory, sep))) throw new CliError(`${named} leads out of ${path}: it is not read`);
        const found = await stat(file);
        if (!found.isFile()) throw new CliError(`${named} is not a file`);
        return { file, start: 0, size: found.size };
      } catch (error) {
        if (error instanceof CliError) throw error;
        if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return null;
        throw new CliError(`cannot read ${named} (${errorCode(error)})`, 1, { cause: error });
      }
    },
  };
}

type Entry = FileSlice | { readonly link: string };

function archiveFiles(entries: ReadonlyMap<string, Entry>): ImageFiles {
  return {
    find: (name) => {
      let entry = entries.get(name);
      for (let links = 0; entry !== undefined && 'link' in entry; links += 1) {
        entry = links === MAX_LINKS ? undefined : entries.get(entry.link);
      }
      return Promise.resolve(entry ?? null);
    },
  };
}

/** Where each file is: headers are read, and what lies between them is passed over. */
async function readArchive(file: FileHandle, path: string): Promise<Map<string, Entry>> {
  const { size: total } = await file.stat();
  const entries = new Map<string, Entry>();
  let extended: HeaderData | undefined;
  let common: HeaderData | undefined;
  for (let position = 0; position + BLOCK <= total;) {
    const block = await readAt(file, position, BLOCK);
    if (position === 0) refuseCompressed(block, path);
    const header = new Header(block, 0, extended, common);
    if (header.nullBlock) break;
    if (!header.cksumValid) throw new CliError(`${path} is not a tar archive, or it is damaged at byte ${position}`);
    const { type, size = 0 } = header;
    const start = position + BLOCK;
    position = start + Math.ceil(size / BLOCK) * BLOCK;
    if (start + size > total) throw new CliError(`${path} is cut off at byte ${total}`);
    const body = EXTENSIONS.has(type) ? await readExtension(file, path, start, size) : '';
    if (type === 'ExtendedHeader') extended = Pax.parse(body, extended, false);
    else if (type === 'GlobalExtendedHeader') common = Pax.parse(body, common, true);
    else if (LONG_PATHS.has(type)) extended = { ...extended, path: untilNull(body) };
    else if (LONG_LINKS.has(type)) extended = { ...extended, linkpath: untilNull(body) };
    else {
      const name = posix.normalize(header.path ?? '');
      const entry = entryOf(header, name, { file: path, start, size });
      if (entry !== null) entries.set(name, entry);
      extended = undefined;
    }
  }
  return entries;
}

const FILES: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
const LONG_PATHS: ReadonlySet<string> = new Set(['NextFileHasLongPath', 'OldGnuLongPath']);
const LONG_LINKS: ReadonlySet<string> = new Set(['NextFileHasLongLinkpath']);
const EXTENSIONS: ReadonlySet<string> = new Set([
  'ExtendedHeader',
  'GlobalExtendedHeader',
  ...LONG_PATHS,
  ...LONG_LINKS,
]);

function entryOf({ type, linkpath = '' }: Header, name: string, slice: FileSlice): Entry | null {
  if (FILES.has(type)) return slice;
  if (type === 'Link') return { link: posix.normalize(linkpath) };
  // `docker save` names a layer that it has written already by a link beside it.
  return type === 'SymbolicLink' ? { link: posix.join(posix.dirname(name), linkpath) } : null;
}

function refuseCompressed(block: Buffer, path: string): void {
  const found = COMPRESSED.find(([, magic]) => magic.every((byte, index) => block[index] === byte));
  if (found) throw new CliError(`${path} is compressed with ${found[0]}: decompress it first`);
}

async function readExtension(file: FileHandle, path: string, position: number, size: number): Promise<string> {
  if (size > MAX_EXTENSION) throw new CliError(`${path} has a name of ${size} bytes`);
  return (await readAt(file, position, size)).toString();
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function untilNull(text: string): string {
  return text.split('\0', 1)[0] ?? '';
}
