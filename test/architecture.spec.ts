import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MODULE_TABLE, PARTS } from './architecture/module-table.js';
import {
  filesSayTheirRole,
  foldersStaySmall,
  importsHaveNoCycle,
  moduleTableHolds,
  nothingIsForwarded,
  onlyConfigReadsTheEnvironment,
  packagesHaveOwners,
  privateFilesStayPrivate,
  productionImportsNoTests,
  pureModulesImportNoPackages,
  declarationsOnlyDeclare,
  requestsStayAtTheEdge,
  type Rule,
  tablesHaveOneWriter,
} from './architecture/rules.js';
import { readSource, type SourceFacts } from './architecture/source-facts.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function readSources(folder: string): SourceFacts[] {
  // The build writes src/metadata.ts; it is nobody's source.
  const isSource = (file: string) => file.endsWith('.ts') && file !== 'metadata.ts';
  const files = readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' }).filter(isSource).sort();
  return files.map((file) => readSource(`${folder}/${file}`, readFileSync(`${ROOT}${folder}/${file}`, 'utf8')));
}

const sources = readSources('src');

const RULES: readonly (readonly [string, Rule])[] = [
  ['imports between modules follow the module table', (all) => moduleTableHolds(all)],
  ['controllers, repositories, DTOs and entities stay inside their module', privateFilesStayPrivate],
  ['packages are imported only by their owners', packagesHaveOwners],
  ['a table is written by its own module alone', tablesHaveOneWriter],
  ['domain code imports no request', requestsStayAtTheEdge],
  ['pure modules import no package', pureModulesImportNoPackages],
  ['files that declare settings and events do nothing else', declarationsOnlyDeclare],
  ['only config reads the environment', onlyConfigReadsTheEnvironment],
  ['the program imports no test', productionImportsNoTests],
  ['there is no barrel and no forwardRef', nothingIsForwarded],
  ['files are named kebab.role.ts', filesSayTheirRole],
  ['folders stay small', foldersStaySmall],
  ['imports between files have no cycle', importsHaveNoCycle],
];

describe('the architecture', () => {
  it('is read from real files', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
    expect(sources.flatMap(({ writes }) => writes).length).toBeGreaterThan(100);
  });

  it('has every relative import at a file that exists', () => {
    const known = new Set([...sources, ...readSources('migrations'), ...readSources('test')].map(({ file }) => file));
    const lost = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ target }) => target !== null && !known.has(target))
        .map(({ target }) => `${file} → ${String(target)}`),
    );
    expect(lost).toEqual([]);
  });

  it('has a folder for each row and each part of the module table', () => {
    const hasFolder = (name: string) => sources.some(({ file }) => file.startsWith(`src/${name}/`));
    const all = [...Object.keys(MODULE_TABLE), ...Object.keys(PARTS), ...Object.values(PARTS)];
    expect(all.filter((name) => !hasFolder(name))).toEqual([]);
  });

  it.each(RULES)('%s', (_name, rule) => {
    expect(rule(sources)).toEqual([]);
  });
});
