import { InvalidArgumentError } from 'commander';

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
