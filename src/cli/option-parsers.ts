import { InvalidArgumentError } from 'commander';
import { InvalidValue, size } from '../config/parsers.js';

export const JSON_OPTION = ['--json', 'print one JSON object instead of lines for people'] as const;

export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('It must begin with http:// or https://.');
  }
  return url;
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600)) throw new InvalidArgumentError('It must be a number from 1 to 600.');
  return seconds;
}

/** Bytes, at least so many: a plain number, or one with a unit such as 10MiB. */
export function parseSize(minimum: number): (text: string) => number {
  const parse = size(minimum);
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof InvalidValue) throw new InvalidArgumentError(`It ${error.message}.`);
      throw error;
    }
  };
}
