import {
  COMPOSITION,
  COMPOSITION_FOLDERS,
  DECLARATIONS,
  ENVIRONMENT_READERS,
  FORBIDDEN_FOLDERS,
  MAX_FILES,
  MODULE_TABLE,
  OWNERS,
  OWNERS_OF_FILES,
  PARTS,
  PRIVATE_ROLES,
  PURE_MODULES,
  ROLE_OF_DECORATOR,
  ROLES,
  TABLES_WITHOUT_ENTITY,
} from './module-table.js';
import type { ImportFact, SourceFacts } from './source-facts.js';

type Table = Readonly<Record<string, readonly string[]>>;

/** Each rule gives one line for each place that breaks it; an empty list means that the rule holds. */
export type Rule = (sources: readonly SourceFacts[]) => string[];

export function moduleTableHolds(sources: readonly SourceFacts[], table: Table = MODULE_TABLE): string[] {
  return production(sources).flatMap((source) => {
    const from = moduleOf(source.file, table);
    if (from === null) return [];
    const allowed = table[from];
    if (allowed === undefined) return [`${source.file}: module "${from}" has no row in the module table`];
    return source.imports.flatMap((imported) => {
      if (imported.target === null) return [];
      if (DECLARATIONS[roleOf(imported.target) ?? '']?.collector === from) return [];
      const to = moduleOf(imported.target, table);
      if (to === from || allowed.includes(to ?? compositionOf(imported.target))) return [];
      return [`${at(source, imported)}: ${from} may not import ${to ?? imported.target}`];
    });
  });
}

/** Who collects declarations loads all of them, and must load nothing else of their modules. */
export const declarationsOnlyDeclare: Rule = (sources) =>
  production(sources).flatMap((source) => {
    const role = roleOf(source.file) ?? '';
    const declaration = DECLARATIONS[role];
    if (declaration === undefined) return [];
    const foreign = source.imports.filter(({ target }) => target === null || !declaration.kit.test(target));
    return foreign.map((imported) => `${at(source, imported)}: a .${role}.ts only declares`);
  });

export const privateFilesStayPrivate: Rule = (sources) =>
  production(sources).flatMap((source) => {
    const from = moduleOf(source.file);
    if (from === null) return [];
    return source.imports.flatMap((imported) => {
      if (imported.target === null || moduleOf(imported.target) === from) return [];
      const role = roleOf(imported.target);
      if (role === null || !PRIVATE_ROLES.includes(role)) return [];
      // A to-one relation needs the class of its target.
      if (role === 'entity' && roleOf(source.file) === 'entity') return [];
      // What every list takes is the edge kit's, and made for all.
      if (role === 'dto' && moduleOf(imported.target) === 'http') return [];
      return [`${at(source, imported)}: ${imported.target} is private to its module`];
    });
  });

export const packagesHaveOwners: Rule = (sources) =>
  production(sources).flatMap((source) =>
    source.imports.flatMap((imported) => {
      const broken = OWNERS.filter(
        ({ packages, files }) => packages.test(imported.package ?? '') && !files.test(source.file),
      );
      return broken.map(({ what }) => `${at(source, imported)}: ${what} belongs to other files`);
    }),
  );

/** A module that must write with another one's table takes the SQL that the owner exports, or tells it by an event. */
export const tablesHaveOneWriter: Rule = (sources) => {
  const owners = tableOwners(sources);
  return production(sources).flatMap((source) =>
    source.writes.flatMap(({ table, isCertain, line }) => {
      const place = `${source.file}:${line}`;
      if (table === null) return [`${place}: writes to a table that is not spelled out`];
      const owner = owners.get(table);
      if (owner === undefined) return isCertain ? [`${place}: no module owns the table ${table}`] : [];
      const from = moduleOf(source.file) ?? COMPOSITION;
      return from === owner || from.startsWith(`${owner}/`) ? [] : [`${place}: ${table} is written by ${owner}`];
    }),
  );
};

/** By the table's name and its entity's. */
function tableOwners(sources: readonly SourceFacts[]): ReadonlyMap<string, string> {
  const owners = new Map(Object.entries(TABLES_WITHOUT_ENTITY));
  for (const { file, tables } of production(sources)) {
    for (const { table, entity } of tables) owners.set(table, moduleOf(file) ?? '').set(entity, moduleOf(file) ?? '');
  }
  return owners;
}

export const requestsStayAtTheEdge: Rule = (sources) =>
  production(sources).flatMap((source) => {
    const from = moduleOf(source.file) ?? compositionOf(source.file);
    return source.imports.flatMap((imported) => {
      const { target } = imported;
      const owned = OWNERS_OF_FILES.find(({ file }) => target !== null && file.test(target));
      if (owned === undefined || owned.modules.includes(from)) return [];
      return [`${at(source, imported)}: ${String(target)} is not for ${from}`];
    });
  });

export const pureModulesImportNoPackages: Rule = (sources) =>
  production(sources).flatMap((source) => {
    if (!PURE_MODULES.includes(moduleOf(source.file) ?? '')) return [];
    const foreign = source.imports.filter(
      (imported) => imported.package !== null && !imported.package.startsWith('node:'),
    );
    return foreign.map((imported) => `${at(source, imported)}: a pure module imports no package`);
  });

export const onlyConfigReadsTheEnvironment: Rule = (sources) =>
  production(sources)
    .filter(({ file }) => !ENVIRONMENT_READERS.test(file))
    .flatMap(({ file, environmentLines }) => environmentLines.map((line) => `${file}:${line}: reads process.env`));

export const productionImportsNoTests: Rule = (sources) =>
  production(sources).flatMap((source) =>
    source.imports
      .filter(({ target }) => target !== null && (target.startsWith('test/') || target.endsWith('.spec.ts')))
      .map((imported) => `${at(source, imported)}: imports a test`),
  );

export const nothingIsForwarded: Rule = (sources) =>
  sources.flatMap((source) => [
    ...(source.isBarrel || source.file.endsWith('/index.ts') ? [`${source.file}: is a barrel`] : []),
    ...source.imports
      .filter((imported) => imported.package === '@nestjs/common' && imported.names.includes('forwardRef'))
      .map((imported) => `${at(source, imported)}: forwardRef hides a cycle`),
  ]);

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export const filesSayTheirRole: Rule = (sources) =>
  sources.flatMap(({ file, decorators }) => {
    const parts = file.split('/');
    const [name = '', ...extensions] = (parts.at(-1) ?? '').split('.');
    const roles = extensions.filter((part) => part !== 'ts' && part !== 'spec');
    const wrong = [name, ...parts.slice(1, -1)].filter((part) => !KEBAB.test(part));
    const folders = parts.slice(1, -1).filter((folder) => FORBIDDEN_FOLDERS.includes(folder));
    const unknown = roles.length > 1 ? [roles.join('.')] : roles.filter((role) => !ROLES.includes(role));
    const unnamed = decorators.map((decorator) => ROLE_OF_DECORATOR[decorator]).filter((role) => role !== undefined);
    return [
      ...wrong.map((part) => `${file}: "${part}" is not kebab-case`),
      ...folders.map((folder) => `${file}: a folder "${folder}" says nothing`),
      ...unknown.map((role) => `${file}: "${role}" is not one role`),
      ...unnamed.filter((role) => role !== roles[0]).map((role) => `${file}: its class makes it a .${role}.ts`),
    ];
  });

export const foldersStaySmall: Rule = (sources) => {
  const counts = new Map<string, number>();
  for (const { file } of production(sources)) {
    const folder = file.split('/').slice(0, -1).join('/');
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const limitOf = (folder: string) => (folder === COMPOSITION ? MAX_FILES.composition : MAX_FILES.folder);
  return [...counts]
    .filter(([folder, count]) => count > limitOf(folder))
    .map(([folder, count]) => `${folder}: ${count} files, of at most ${limitOf(folder)}`);
};

/** Each cycle of imports between files, type imports included, as one line. */
export const importsHaveNoCycle: Rule = (sources) => {
  const edges = new Map(
    production(sources).map(({ file, imports }) => [file, imports.flatMap(({ target }) => target ?? [])]),
  );
  const finished = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(file);
    if (seen >= 0) cycles.push([...trail.slice(seen), file].join(' → '));
    if (seen >= 0 || finished.has(file)) return;
    for (const target of edges.get(file) ?? []) walk(target, [...trail, file]);
    finished.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return cycles;
};

/** Tests may reach into everything: what they import is not the program's structure. */
function production(sources: readonly SourceFacts[]): SourceFacts[] {
  return sources.filter(({ file }) => !file.endsWith('.spec.ts') && !file.startsWith('test/'));
}

/** The module of a file: the nearest folder above it that has a row. `null` for the composition and outside of src. */
function moduleOf(file: string, table: Table = MODULE_TABLE): string | null {
  const [top, ...folders] = file.split('/').slice(0, -1);
  if (top !== 'src' || COMPOSITION_FOLDERS.includes([top, ...folders].join('/'))) return null;
  for (let depth = folders.length; depth > 0; depth--) {
    const folder = folders.slice(0, depth).join('/');
    const module = PARTS[folder] ?? folder;
    if (table[module] !== undefined) return module;
  }
  return folders[0] ?? null;
}

/** What a file outside of every module goes by in the table. */
function compositionOf(file: string): string {
  return file.startsWith('src/') ? COMPOSITION : file;
}

function roleOf(file: string): string | null {
  const [, role, ...rest] = (file.split('/').at(-1) ?? '').split('.');
  return role !== undefined && rest.length > 0 ? role : null;
}

function at(source: SourceFacts, imported: ImportFact): string {
  return `${source.file}:${imported.line}`;
}
