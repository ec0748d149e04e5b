import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchDirectory } from './processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface ExtraMigration {
  readonly name: string;
  readonly up: readonly string[];
}

/** Later than every migration of this version. */
const LATER = 2_000_000_000_000;

/** The next version: this build, a copy of it, with migrations that this version does not know. Returns its directory. */
export function nextVersion(...migrations: ExtraMigration[]): string {
  const root = scratchDirectory('build');
  const build = path.join(root, 'dist');
  cpSync(path.join(ROOT, 'dist'), build, { recursive: true });
  cpSync(path.join(ROOT, 'package.json'), path.join(root, 'package.json'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  for (const [at, { name, up }] of migrations.entries()) {
    const timestamp = LATER + at;
    writeFileSync(path.join(build, 'migrations', `${timestamp}-${name.toLowerCase()}.js`), source(name, timestamp, up));
  }
  return build;
}

function source(name: string, timestamp: number, up: readonly string[]): string {
  return `export class ${name}${timestamp} {
  name = '${name}${timestamp}';
  async up(runner) {
    for (const statement of ${JSON.stringify(up)}) await runner.query(statement);
  }
  async down() {}
}
`;
}

/** The same, whose code is also written for a later schema level. */
export function nextLevel(level: number, ...migrations: ExtraMigration[]): string {
  return withConstant(nextVersion(...migrations), 'database/schema-level.js', 'SCHEMA_LEVEL', level);
}

/** The next version, whose nodes obey more rules. */
export function nextNodeLevel(level: number): string {
  return withConstant(nextVersion(), 'upgrades/node-level.js', 'NODE_LEVEL', level);
}

function withConstant(build: string, name: string, constant: string, value: number): string {
  const file = path.join(build, 'src', name);
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(new RegExp(`${constant} = \\d+`), `${constant} = ${value}`);
  if (changed === text) throw new Error(`${file} has no ${constant}`);
  writeFileSync(file, changed);
  return build;
}
