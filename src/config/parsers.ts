import { isIP } from 'node:net';

/** What a variable (always text) or a TOML file (typed) can hold. */
export type RawValue = string | number | bigint | boolean | readonly string[];

/** Why a value was refused, worded to follow its name: "must be …". Never contains the value itself. */
export class InvalidValue extends Error {}

/** Throws `InvalidValue`. */
export type Parser<T> = (raw: RawValue) => T;

const SIZE = /^(\d+)\s*(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?$/;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};
const DURATION = /^(\d+)\s*(s|m|h|d)?$/;
const DURATION_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const ADDRESS = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[^:[\]\s]*)):(?<port>\d{1,5})$/i;
/** What Express understands besides addresses. */
const PROXY_GROUPS = new Set(['loopback', 'linklocal', 'uniquelocal']);

function asText(raw: RawValue, expected: string): string {
  if (typeof raw === 'object') throw new InvalidValue(expected);
  return String(raw).trim();
}

/** Any text that is not empty. */
export const text: Parser<string> = (raw) => asText(raw, 'must be text');

export function matching(pattern: RegExp, expected: string): Parser<string> {
  return (raw) => {
    const value = asText(raw, expected);
    if (!pattern.test(value)) throw new InvalidValue(expected);
    return value;
  };
}

export function oneOf<const T extends string>(values: readonly T[]): Parser<T> {
  const expected = `must be one of ${values.join(', ')}`;
  return (raw) => {
    const value = values.find((candidate) => candidate === asText(raw, expected));
    if (value === undefined) throw new InvalidValue(expected);
    return value;
  };
}

export const boolean: Parser<boolean> = (raw) => oneOf(['true', 'false'])(raw) === 'true';

export function integer(minimum: number, maximum: number): Parser<number> {
  const expected = `must be a whole number from ${minimum} to ${maximum}`;
  return (raw) => inRange(/^\d+$/.test(asText(raw, expected)) ? Number(raw) : NaN, minimum, maximum, expected);
}

/** As `integer`, or the word `auto`. */
export function countOrAuto(minimum: number, maximum: number): Parser<number | 'auto'> {
  const expected = `must be auto or a whole number from ${minimum} to ${maximum}`;
  const count = integer(minimum, maximum);
  return (raw) => {
    if (raw === 'auto') return raw;
    try {
      return count(raw);
    } catch {
      throw new InvalidValue(expected);
    }
  };
}

/** Bytes: a plain number, or one with a unit. */
export function size(minimum: number, maximum = Number.MAX_SAFE_INTEGER): Parser<number> {
  const expected =
    maximum === Number.MAX_SAFE_INTEGER
      ? `must be a size of at least ${formatSize(minimum)}, such as ${formatSize(Math.max(2 * minimum, 1024))}`
      : `must be a size from ${formatSize(minimum)} to ${formatSize(maximum)}`;
  return (raw) => inRange(withUnit(SIZE, SIZE_UNITS, asText(raw, expected)), minimum, maximum, expected);
}

/** Seconds: a plain number, or one with a unit. */
export function duration(minimum: number, maximum: number): Parser<number> {
  const expected = `must be a duration from ${minimum} to ${maximum} seconds, such as 90, 90s, 15m, 24h or 7d`;
  return (raw) => inRange(withUnit(DURATION, DURATION_UNITS, asText(raw, expected)), minimum, maximum, expected);
}

function withUnit(pattern: RegExp, units: Readonly<Record<string, number>>, value: string): number {
  const [, digits, unit] = pattern.exec(value) ?? [];
  return digits === undefined ? NaN : Number(digits) * (unit === undefined ? 1 : (units[unit] ?? NaN));
}

function inRange(value: number, minimum: number, maximum: number, expected: string): number {
  if (!(value >= minimum && value <= maximum)) throw new InvalidValue(expected);
  return value;
}

/** As `size` reads it. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0';
  const unit = (['GiB', 'MiB', 'KiB'] as const).find((name) => bytes % (SIZE_UNITS[name] ?? 1) === 0) ?? 'B';
  return `${bytes / (SIZE_UNITS[unit] ?? 1)}${unit}`;
}

/** Separated by commas in a variable, an array in the file. */
export function list(item: Parser<string>): Parser<readonly string[]> {
  return (raw) => {
    const parts = typeof raw === 'object' ? raw : asText(raw, 'must be a list').split(',');
    return parts
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item);
  };
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const listenAddress: Parser<ListenAddress> = (raw) => {
  const expected = 'must be host:port with a port from 0 to 65535, such as 0.0.0.0:8080 or [::]:8080';
  const { v6, host, port } = ADDRESS.exec(asText(raw, expected))?.groups ?? {};
  if (port === undefined || Number(port) > 65_535 || (v6 !== undefined && isIP(v6) !== 6))
    throw new InvalidValue(expected);
  return { host: v6 ?? (host === undefined || host === '' ? '0.0.0.0' : host), port: Number(port) };
};

export function url(protocols: readonly string[], example: string): Parser<string> {
  const expected = `must be a URL such as ${example}`;
  return (raw) => {
    const value = asText(raw, expected);
    parsedUrl(value, protocols, expected);
    return value;
  };
}

function parsedUrl(value: string, protocols: readonly string[], expected: string): URL {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  if (parsed === null || !protocols.includes(parsed.protocol)) throw new InvalidValue(expected);
  return parsed;
}

/** Scheme, host and port; a path would end up in the middle of every URL made from it. */
export function origin(example: string): Parser<string> {
  return originOr('', example);
}

function originOr(other: string, example: string): Parser<string> {
  const expected = `must be ${other}http:// or https:// with a host and no path, such as ${example}`;
  return (raw) => {
    const parsed = parsedUrl(asText(raw, expected), ['http:', 'https:'], expected);
    const bare = `${parsed.pathname}${parsed.search}${parsed.hash}${parsed.username}${parsed.password}` === '/';
    // A URL takes `https://*.example.com` for a host of that very name, which no page has.
    if (!bare || parsed.hostname.includes('*')) throw new InvalidValue(expected);
    return parsed.origin;
  };
}

const pageOrigin = originOr('* or ', 'https://console.example.com');

/** A browser's Origin, or `*` for every one of them. */
export const corsOrigin: Parser<string> = (raw) => (raw === '*' ? '*' : pageOrigin(raw));

export const network: Parser<string> = (raw) => {
  const expected = 'must be addresses or networks such as 10.0.0.0/8';
  const value = asText(raw, expected);
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  if (family === 0 || !fits || rest.length > 0) throw new InvalidValue(expected);
  return value;
};

export const proxy: Parser<string> = (raw) => (PROXY_GROUPS.has(String(raw)) ? String(raw) : network(raw));
