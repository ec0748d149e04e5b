import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errorCode } from './error-code.js';
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.js';

/** Bytes. */
const MAX_FILE = 64 * 1024;
/** What an editor or `echo` leaves at the end; `$(cat file)` of other images' entry points leaves it out as well. */
const LAST_LINE_BREAKS = /(?:\r?\n)+$/;

/** Settings whose value can be in a file: `JWT_SECRET_FILE` names that of `JWT_SECRET`. */
export const SECRET_NAMES: readonly SettingName[] = SETTING_NAMES.filter((name) => SETTINGS[name].isSecret);
export const SECRET_FILE_NAMES: readonly string[] = SECRET_NAMES.map((name) => `${name}_FILE`);

/** The setting whose file a variable of this name would name. */
export function secretOfFile(variable: string): SettingName | null {
  return SECRET_NAMES.find((name) => variable === `${name}_FILE`) ?? null;
}

/** Why a file has no secret, worded to follow its path. Never contains anything of the file. */
export class NoSecret extends Error {}

/** Throws `NoSecret`. */
export function readSecretFile(path: string): string {
  const text = decoded(readBounded(path)).replace(LAST_LINE_BREAKS, '');
  if (text.trim() === '') throw new NoSecret('is empty');
  return text;
}

function readBounded(path: string): Buffer {
  let file: number | null = null;
  try {
    // A pipe without a writer would block otherwise.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = fstatSync(file);
    if (!found.isFile()) throw new NoSecret('is not a file');
    if (found.size > MAX_FILE) throw new NoSecret(`is larger than ${MAX_FILE / 1024} KiB`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof NoSecret) throw error;
    throw new NoSecret(`cannot be read (${errorCode(error)})`, { cause: error });
  } finally {
    if (file !== null) closeSync(file);
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NoSecret('is not text in UTF-8');
  }
}
