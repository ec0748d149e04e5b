import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `aerugo_pat_…` for a user's key, `aerugo_bot_…` for a robot's: a prefix and a checksum, so that scanners for leaked
 * secrets know one when they see it, and what can be none is refused without a question to the database.
 */
const PREFIXES = { user: 'aerugo_pat_', robot: 'aerugo_bot_' } as const;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 190 bits. */
const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const FORM = /^aerugo_(?:pat|bot)_[0-9A-Za-z]{38}$/;

export type KeyHolderKind = keyof typeof PREFIXES;

export function newKeyText(kind: KeyHolderKind): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const text = `${PREFIXES[kind]}${random}`;
  return `${text}${checksum(text)}`;
}

/** Whether it can be a key that this registry made; whether it is one is the database's to say. */
export function isKeyText(text: string): boolean {
  return FORM.test(text) && checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

/** Whether the text has the form of a key: it is then checked as one, and never as a password. */
export function looksLikeKey(text: string): boolean {
  return Object.values(PREFIXES).some((prefix) => text.startsWith(prefix));
}

/** CRC-32 in base 62. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = `${ALPHABET[rest % ALPHABET.length]}${digits}`;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
