import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tables that grow with the registry: what reads or locks all of one is noticed. */
export const BIG_TABLES = [
  'api_keys',
  'audit_events',
  'blobs',
  'job_common',
  'manifest_refs',
  'manifests',
  'outbox',
  'refresh_tokens',
  'repo_content',
  'repo_grants',
  'repos',
  'tag_events',
  'tags',
  'uploads',
  'users',
] as const;

const BIG = `(?:${BIG_TABLES.join('|')})`;

interface Rule {
  readonly breaks: string;
  readonly statement: RegExp;
  /** `contract`: only with a row in `schema_contracts`. `reason`: a comment `-- safe: <why>` before the statement. */
  readonly unless: 'contract' | 'reason' | 'never';
}

const RULES: readonly Rule[] = [
  { breaks: 'a table that is gone', statement: /^drop (table|view|type|schema|sequence)\b/, unless: 'contract' },
  { breaks: 'a column that is gone', statement: /^alter table\b.*\bdrop column\b/, unless: 'contract' },
  { breaks: 'a new name', statement: /^alter \w+\b.*\brename\b/, unless: 'contract' },
  { breaks: 'a changed type', statement: /\balter (column )?\w+ (set data )?type\b/, unless: 'contract' },
  { breaks: 'a column that must be filled', statement: /\balter (column )?\w+ set not null\b/, unless: 'contract' },
  { breaks: 'a default that is gone', statement: /\balter (column )?\w+ drop default\b/, unless: 'contract' },
  {
    breaks: 'a new column that the version before does not fill',
    statement: /\badd column (if not exists )?\w+(?=[^,]*\bnot null\b)(?![^,]*\b(default|generated)\b)/,
    unless: 'contract',
  },
  {
    breaks: 'a constraint or an index that is gone',
    statement: /\bdrop (constraint|index|trigger|function)\b/,
    unless: 'reason',
  },
  {
    breaks: 'a constraint that every row is read for, and that rows of the version before may not meet',
    statement: /^alter table\b.*\badd (constraint\b|check\b|unique\b|foreign key\b|primary key\b)(?!.*\bnot valid\b)/,
    unless: 'reason',
  },
  {
    breaks: 'no writes to a big table while its index is made',
    statement: new RegExp(`^create (unique )?index (?!concurrently\\b).* on (only )?${BIG}\\b`),
    unless: 'reason',
  },
  {
    breaks: 'all rows of a big table locked',
    statement: new RegExp(`^(update|delete from) (only )?${BIG}\\b`),
    unless: 'reason',
  },
  { breaks: 'a table that is emptied', statement: /^truncate\b/, unless: 'contract' },
  {
    breaks: 'the limits that all migrations run with (src/database/migrate.ts)',
    statement: /^(set\b.*|select set_config\(')(lock|statement)_timeout\b/,
    unless: 'never',
  },
  {
    breaks: 'the transaction that all of it is',
    statement: /^(begin|start transaction|commit|rollback)\b/,
    unless: 'never',
  },
  {
    breaks: 'the transaction that all of it is: this cannot run in one',
    statement: /^(create (unique )?index concurrently|drop index concurrently|vacuum|alter type\b.*\badd value)\b/,
    unless: 'never',
  },
];

const CONTRACT =
  /^insert into schema_contracts \(migration, level, since, what\)\s*values \('(\w+)', (\d+), '(\d+\.\d+\.\d+)', '[^']{10,}'\)/;
const NEW_TABLE = /^create table (?:if not exists )?(\w+)/;
const CHANGED_TABLE = /^alter table (?:if exists |only )*(\w+)/;

export interface Contract {
  readonly migration: string;
  readonly level: number;
  readonly since: string;
}

/** What is wrong with the statements that a migration sends, one sentence each. */
export function violations(sent: readonly string[]): string[] {
  const statements = sent.flatMap(statementsOf);
  const hasContract = contractsIn(sent).length > 0;
  const found = statements.flatMap(({ text, isExplained }) =>
    RULES.filter(({ statement }) => statement.test(text))
      .filter(({ unless }) => unless === 'never' || !(hasContract || (unless === 'reason' && isExplained)))
      .map(({ breaks, unless }) => `${breaks} (${ADVICE[unless]}): ${text}`),
  );
  return [...found, ...outOfOrder(statements.map(({ text }) => text))];
}

const ADVICE = {
  contract: 'needs a row in schema_contracts',
  reason: 'needs a comment "-- safe: <why>"',
  never: 'cannot be',
} as const;

export function contractsIn(sent: readonly string[]): Contract[] {
  return sent.flatMap(statementsOf).flatMap(({ text }) => {
    const [, migration, level, since] = CONTRACT.exec(text) ?? [];
    return migration && level && since ? [{ migration, level: Number(level), since }] : [];
  });
}

/** What is locked until the end of the transaction is locked last: whatever only makes something new comes before. */
function outOfOrder(texts: readonly string[]): string[] {
  const made = new Set(texts.flatMap((text) => NEW_TABLE.exec(text)?.[1] ?? []));
  const firstLock = texts.findIndex((text) => {
    const table = CHANGED_TABLE.exec(text)?.[1];
    return table !== undefined && !made.has(table);
  });
  if (firstLock < 0) return [];
  return texts
    .slice(firstLock)
    .filter((text) => NEW_TABLE.test(text))
    .map((text) => `made while a table is locked that others use (make it first): ${text}`);
}

interface Statement {
  /** One line, lower case, without comments. */
  readonly text: string;
  readonly isExplained: boolean;
}

/** Semicolons inside quotes and dollar quotes end nothing. */
function statementsOf(sql: string): Statement[] {
  const pieces = sql.match(/(?:\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|--[^\n]*|[^;])+/g) ?? [];
  return pieces
    .map((piece) => ({
      text: piece
        .replace(/--[^\n]*/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
      isExplained: /--\s*safe: \S+ \S+/.test(piece),
    }))
    .filter(({ text }) => text !== '')
    .map(({ text, isExplained }) => ({ text: lowered(text), isExplained }));
}

const lowered: (text: string) => string = (text) =>
  text.replace(/'[^']*'|[^']+/g, (part) => (part.startsWith("'") ? part : part.toLowerCase()));

export interface Sent {
  readonly name: string;
  readonly timestamp: number;
  readonly statements: readonly string[];
}

const DIRECTORY = fileURLToPath(new URL('../migrations', import.meta.url));

/** What each migration's `up` sends to a database. */
export async function migrationsSent(): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const file of readdirSync(DIRECTORY).sort()) {
    const module = (await import(pathToFileURL(path.join(DIRECTORY, file)).href)) as Record<
      string,
      new () => MigrationInterface
    >;
    for (const Migration of Object.values(module)) {
      const statements: string[] = [];
      const runner = { query: (text: string) => Promise.resolve(statements.push(text) && []) };
      await new Migration().up(runner as unknown as QueryRunner);
      sent.push({ name: file, timestamp: Number.parseInt(file, 10), statements });
    }
  }
  return sent;
}
