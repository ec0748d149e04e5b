import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Finished, run, scratchDirectory } from './support/processes.js';

jest.setTimeout(240_000);

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = readFileSync(path.join(ROOT, 'docs', 'new-module.md'), 'utf8');
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.cache', 'data', 'coverage']);

/** The files of the page: a block of code begins with the name of its file. */
const FILES = [...PAGE.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, file = '', text = '']) => ({
  file,
  text,
}));

/** The lines of the page's table: before what each is put. */
const LINES: readonly (readonly [file: string, before: string, line: string])[] = [
  ['src/app.module.ts', '/** The list of modules', "import { NoticesModule } from './notices/notices.module.js';\n"],
  ['src/app.module.ts', '        ...metricsOf(config),', '        NoticesModule,\n'],
  ['test/architecture/module-table.ts', "  'operations/health': [", `  ${inTable('notices:')},\n`],
  ['src/config/settings.ts', '/** Sections whose', "import { NOTICES_CONFIG } from '../notices/notices.config.js';\n"],
  ['src/config/settings.ts', '] as const;', `, ${inTable('NOTICES_CONFIG')}`],
  ['src/config/settings.ts', '} as const satisfies', `  ${inTable('...NOTICES_CONFIG')},\n`],
  ['src/events/event-table.ts', 'const NOTHING', "import { NOTICES_EVENTS } from '../notices/notices.events.js';\n"],
  ['src/events/event-table.ts', ' } satisfies Record', `, ${inTable('...NOTICES_EVENTS')}`],
];

/** What the page's last table has in backquotes. */
function inTable(beginning: string): string {
  const table = PAGE.slice(PAGE.lastIndexOf('| File'));
  const texts = [...table.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
  const found = texts.find((text) => text.startsWith(beginning));
  if (found === undefined) throw new Error(`the page's table has no ${beginning}`);
  return found;
}

let copy: string;

beforeAll(() => {
  copy = path.join(scratchDirectory('new-module'), 'aerugo');
  cpSync(ROOT, copy, { recursive: true, filter: (source) => !LEFT_OUT.has(path.relative(ROOT, source)) });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  for (const { file, text } of FILES) {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
    writeFileSync(path.join(copy, file), text, { flag: 'wx' });
  }
  for (const [file, before, line] of LINES) {
    const text = readFileSync(path.join(copy, file), 'utf8');
    if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
    writeFileSync(
      path.join(copy, file),
      text.replace(before, () => `${line}${before}`),
    );
  }
});

/** A package's program, in the copy; with its code, whatever it is. */
function inCopy(program: string, ...args: string[]): Promise<Finished> {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const env = { ...process.env, UPDATE_EXAMPLES: '1', TEST_DATABASE: 'embedded' };
  const file = path.join(copy, 'node_modules', program);
  return run(process.execPath, [...node, file, ...args], { cwd: copy, env, anyCode: true, timeoutMs: 200_000 });
}

describe('the module of docs/new-module.md', () => {
  it('has a folder, a migration and lines in the files that the page names', () => {
    expect(FILES.filter(({ file }) => !file.startsWith('src/notices/')).map(({ file }) => file)).toEqual([
      'migrations/1999000000000-notices.ts',
    ]);
    const named = [...PAGE.matchAll(/^\| `([^`]+)` \|/gm)].map(([, file]) => file);
    expect([...new Set(LINES.map(([file]) => file))]).toEqual(named);
  });

  it('has the types that it should', async () => {
    writeFileSync(
      path.join(copy, 'tsconfig.sources.json'),
      JSON.stringify({ extends: './tsconfig.json', include: ['src', 'migrations'] }),
    );
    const checked = await inCopy('typescript/bin/tsc', '--noEmit', '--project', 'tsconfig.sources.json');
    expect([checked.code, checked.stdout]).toEqual([0, '']);
  });

  it('passes the checks of the structure: architecture, routes, audit log, settings, migrations and entities', async () => {
    const specs = ['architecture', 'routes', 'audit-routes', 'env-example', 'helm-schema', 'migration-rules'];
    const files = specs.map((name) => `test/${name}.spec.ts`);
    const { code, stderr } = await inCopy('jest/bin/jest.js', '--runTestsByPath', ...files);
    expect(stderr).toContain(`Test Suites: ${files.length} passed, ${files.length} total`);
    expect(code).toBe(0);
    const title = 'make exactly the tables that the entities describe';
    const tables = await inCopy(
      'jest/bin/jest.js',
      '--runTestsByPath',
      'test/migrations.spec.ts',
      '-t',
      `embedded.*${title}`,
    );
    expect(tables.stderr).toMatch(/Tests: .*1 passed/);
    expect(tables.code).toBe(0);
  });
});
