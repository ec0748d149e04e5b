import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, string, number, Buffer>(scrypt);

const SALT = 'aerugo: fingerprint of JWT_SECRET';
const BYTES = 2;

/**
 * 16 bits that say whether two secrets differ. One guess in 65,536 has the same ones, so they confirm no guess: a
 * reader still has to try the rest against a token.
 */
export async function secretFingerprint(secret: string): Promise<number> {
  return (await derive(secret, SALT, BYTES)).readUInt16BE();
}
