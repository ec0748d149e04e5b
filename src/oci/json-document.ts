import { OciError } from './oci-error.js';

export type JsonObject = Readonly<Record<string, unknown>>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Of a whole document; what is left out is no limit. */
export interface JsonLimits {
  /** Fields of all its objects together. */
  readonly maxFields?: number | undefined;
  /** Values of all its objects and lists together, and these themselves. */
  readonly maxValues?: number | undefined;
}

/**
 * Reads a JSON object of bounded depth and size. Throws `manifestDeepNesting`, `manifestTooManyFields`,
 * `manifestTooManyValues` or `manifestNotJson`; the bytes stay as they are. Of a key that occurs twice the last counts, as
 * in every client; `__proto__` is a key like another.
 */
export function parseJsonObject(bytes: Uint8Array, maxDepth: number, limits: JsonLimits = {}): JsonObject {
  // Before JSON.parse, which takes a microsecond and more for each key: what is too deep or too wide is not built at all.
  refuseCostly(bytes, maxDepth, limits);
  const value = parse(bytes);
  if (!isJsonObject(value)) throw new OciError('manifestNotJson');
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(bytes: Uint8Array): unknown {
  try {
    // A byte order mark is kept, and JSON.parse refuses it: RFC 8259, section 8.1.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new OciError('manifestNotJson', undefined, { cause });
  }
}

/** Counts brackets, colons and commas outside of strings; no byte of a multi-byte character looks like one. */
function refuseCostly(
  bytes: Uint8Array,
  maxDepth: number,
  { maxFields = Infinity, maxValues = Infinity }: JsonLimits,
): void {
  let depth = 0;
  let fields = 0;
  let values = 1;
  let inString = false;
  const countValue = (): void => {
    values += 1;
    if (values > maxValues) throw new OciError('manifestTooManyValues', { maxValues });
  };
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (inString) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === COMMA) countValue();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > maxDepth) throw new OciError('manifestDeepNesting', { maxDepth });
      countValue(); // what it holds first has no comma before it
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    else if (byte === COLON) {
      fields += 1;
      if (fields > maxFields) throw new OciError('manifestTooManyFields', { maxFields });
    }
  }
}
