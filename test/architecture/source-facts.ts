import path from 'node:path';
import ts from 'typescript';
import { type EntityTable, entityTables, type TableWrite, tableWrites } from './table-writes.js';

export interface ImportFact {
  /** As written. */
  specifier: string;
  /** The imported source file from the root of the project, for a relative import. */
  target: string | null;
  /** The package, for any other: `node:fs`, `@nestjs/common`, `typeorm`. */
  package: string | null;
  /** The names that the importer takes; `*` for a namespace, a dynamic import or a side effect. */
  names: string[];
  line: number;
}

export interface SourceFacts {
  /** From the root of the project, with forward slashes: `src/oci/digest.ts`. */
  file: string;
  imports: ImportFact[];
  /** Lines that touch `process.env`. */
  environmentLines: number[];
  /** Decorators of the file's classes: `Entity`, `Controller`. */
  decorators: string[];
  /** Tables whose entities the file has. */
  tables: EntityTable[];
  /** Where the file writes rows. */
  writes: TableWrite[];
  /** True when the file does nothing but export what other files have, or exports another file whole. */
  isBarrel: boolean;
}

/** Reads what the rules need from a source file's syntax tree; nothing is guessed from its text. */
export function readSource(file: string, text: string): SourceFacts {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const facts: SourceFacts = {
    file,
    imports: [],
    environmentLines: [],
    decorators: [],
    tables: entityTables(source),
    writes: tableWrites(source),
    isBarrel: isBarrel(source),
  };
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const visit = (node: ts.Node): void => {
    const imported = importOf(node);
    if (imported) facts.imports.push({ ...imported, ...resolve(file, imported.specifier), line: lineOf(node) });
    if (isEnvironment(node)) facts.environmentLines.push(lineOf(node));
    if (ts.isClassDeclaration(node)) facts.decorators.push(...decoratorsOf(node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return facts;
}

/** `import`, `export … from`, `import()`, `import type`, `import x = require()` and `import('x').T` alike. */
function importOf(node: ts.Node): { specifier: string; names: string[] } | null {
  if (ts.isImportDeclaration(node)) return withText(node.moduleSpecifier, importedNames(node.importClause));
  if (ts.isExportDeclaration(node)) return withText(node.moduleSpecifier, exportedNames(node.exportClause));
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return withText(node.argument.literal, ['*']);
  if (ts.isExternalModuleReference(node)) return withText(node.expression, ['*']);
  if (!ts.isCallExpression(node)) return null;
  const isDynamic = node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  return isDynamic || isRequire ? withText(node.arguments[0], ['*']) : null;
}

function withText(specifier: ts.Node | undefined, names: string[]): { specifier: string; names: string[] } | null {
  return specifier && ts.isStringLiteralLike(specifier) ? { specifier: specifier.text, names } : null;
}

function importedNames(clause: ts.ImportClause | undefined): string[] {
  const bindings = clause?.namedBindings;
  const named = bindings && ts.isNamedImports(bindings) ? bindings.elements.map(nameOf) : [];
  const isWhole = clause === undefined || (bindings !== undefined && ts.isNamespaceImport(bindings));
  return [...named, ...(clause?.name ? ['default'] : []), ...(isWhole ? ['*'] : [])];
}

function exportedNames(clause: ts.NamedExportBindings | undefined): string[] {
  return clause && ts.isNamedExports(clause) ? clause.elements.map(nameOf) : ['*'];
}

function nameOf(element: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (element.propertyName ?? element.name).text;
}

function resolve(file: string, specifier: string): Pick<ImportFact, 'target' | 'package'> {
  if (specifier.startsWith('.')) {
    const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
    return { target, package: null };
  }
  const [scope = '', name = ''] = specifier.split('/');
  return { target: null, package: scope.startsWith('@') ? `${scope}/${name}` : scope };
}

/** `process.env`, `process['env']`, and `env` taken out of process or of node:process. */
function isEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env';
  if (ts.isElementAccessExpression(node)) {
    const key = node.argumentExpression;
    return isProcess(node.expression) && ts.isStringLiteralLike(key) && key.text === 'env';
  }
  if (ts.isVariableDeclaration(node) && node.initializer && isProcess(node.initializer)) {
    const taken = ts.isObjectBindingPattern(node.name) ? node.name.elements : [];
    return taken.some((element) => (element.propertyName ?? element.name).getText() === 'env');
  }
  if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return false;
  const isProcessModule = /^(node:)?process$/.test(node.moduleSpecifier.text);
  return isProcessModule && importedNames(node.importClause).includes('env');
}

function isProcess(node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return node.text === 'process';
  return (
    ts.isPropertyAccessExpression(node) && node.name.text === 'process' && node.expression.getText() === 'globalThis'
  );
}

function decoratorsOf(node: ts.ClassDeclaration): string[] {
  return (ts.getDecorators(node) ?? []).map(({ expression }) =>
    (ts.isCallExpression(expression) ? expression.expression : expression).getText(),
  );
}

function isBarrel(source: ts.SourceFile): boolean {
  const reexports = source.statements.filter(
    (statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined,
  );
  if (reexports.length === 0) return false;
  const isWhole = reexports.some(
    (statement) => ts.isExportDeclaration(statement) && statement.exportClause === undefined,
  );
  return (
    isWhole ||
    source.statements.every((statement) => reexports.includes(statement) || ts.isImportDeclaration(statement))
  );
}
