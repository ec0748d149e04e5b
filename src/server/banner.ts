import type { AddressInfo } from 'node:net';
import { relative } from 'node:path';
import type { AppConfig } from '../config/config.js';
import type { Administrator } from './first-administrator.js';

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Where this process can be reached from its own machine. */
export function localUrl(
  { address, port, family }: AddressInfo,
  { isSecure = false, anyHost = '127.0.0.1' }: { isSecure?: boolean; anyHost?: string } = {},
): string {
  const host = ANY_ADDRESS.has(address) ? anyHost : family === 'IPv6' ? `[${address}]` : address;
  return `${isSecure ? 'https' : 'http'}://${host}:${port}`;
}

/** What a newcomer needs in order to push a first image. The password is in it once, when it has just been made. */
export function banner(config: AppConfig, address: AddressInfo, administrator: Administrator): string {
  // docker speaks plain HTTP to localhost without being told to
  const url =
    config.server.publicUrl ?? localUrl(address, { isSecure: config.server.tls !== null, anyHost: 'localhost' });
  const { host } = new URL(url);
  const { username, passwordFile } = administrator;
  const image = `${host}/${username}/my-image:latest`;
  const login = `docker login ${host} --username ${username}`;
  const file = passwordFile === null ? null : shown(passwordFile);
  return [
    '',
    `  Aerugo is running at   ${url}`,
    `  API documentation      ${url}/api/docs`,
    `  Administrator          ${username}`,
    ...passwordLines(administrator, file),
    '',
    `  ${file === null ? login : `${login} --password-stdin < ${file}`}`,
    `  docker tag my-image:latest ${image}`,
    `  docker push ${image}`,
    `  docker pull ${image}`,
    '',
    '  Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}

function passwordLines({ generatedPassword }: Administrator, file: string | null): string[] {
  if (file === null) return [];
  if (generatedPassword === null) return [`  Password               in ${file}`];
  return [`  Password               ${generatedPassword}   (shown only now; it is kept in ${file})`];
}

function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  const short = fromHere.startsWith('..') ? path : fromHere;
  return /^[\w./-]+$/.test(short) ? short : `'${short.replaceAll("'", String.raw`'\''`)}'`;
}
