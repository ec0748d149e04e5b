import pg from 'pg';

/** Texts that get a name; beyond it statements are made on the fly, such as TypeORM's with lists of every length. */
const MAX_STATEMENTS = 500;

/** One name a text in the whole process, so that every connection prepares it under the same one. */
const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_STATEMENTS) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

/**
 * A connection whose parsed and planned statements stay on the server: planning was half of what a small statement
 * cost there. Not for poolers, which hand a transaction to any connection.
 */
export class PreparingClient extends pg.Client {}

type Query = (this: pg.Client, text: unknown, values?: unknown, callback?: unknown) => unknown;
// pg declares `query` by a dozen overloads, none of which a subclass could restate.
const send = Reflect.get(pg.Client.prototype, 'query') as Query;

Reflect.set(PreparingClient.prototype, 'query', function (this: pg.Client, text, values, callback) {
  const name = typeof text === 'string' && Array.isArray(values) && values.length > 0 ? nameOf(text) : undefined;
  return name === undefined
    ? send.call(this, text, values, callback)
    : send.call(this, { name, text, values }, callback);
} satisfies Query);
