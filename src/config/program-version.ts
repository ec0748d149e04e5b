import { existsSync, readFileSync } from 'node:fs';

/** The version that package.json gives; sources and the build stand at different depths below it. */
export const PROGRAM_VERSION: string = readVersion();

function readVersion(): string {
  const places = ['../../package.json', '../../../package.json'].map((path) => new URL(path, import.meta.url));
  const found = places.find((place) => existsSync(place));
  if (!found) return 'unknown';
  return (JSON.parse(readFileSync(found, 'utf8')) as { version: string }).version;
}
