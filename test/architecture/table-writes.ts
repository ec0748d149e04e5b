import ts from 'typescript';

/** A place where a file writes rows: by a statement, or by TypeORM. */
export interface TableWrite {
  /** As written; `null` where the statement takes it from elsewhere. By TypeORM it may be the entity's class. */
  table: string | null;
  /** False for what may be no statement: prose, or a method that only has the name of one of TypeORM's. */
  isCertain: boolean;
  line: number;
}

/** A table, by its entity. */
export interface EntityTable {
  table: string;
  entity: string;
}

/** Stands for what a template takes from elsewhere. */
const ELSEWHERE = '\uFFFC';
// Not FOR UPDATE, FOR NO KEY UPDATE, DO UPDATE, ON UPDATE.
const LOCK_OR_CONFLICT = /(?:\bFOR|\bNO\s+KEY|\bDO|\bON)\s+$/i;
const WRITE =
  /\b(INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|UPDATE)\s+(?:ONLY\s+)?(?:"?\w+"?\.)?("?[a-z_][a-z0-9_]*"?|\uFFFC|$)/gi;

/** Methods of TypeORM's managers, repositories and query builders that write what their first argument names. */
const WRITERS: ReadonlySet<string> = new Set([
  'getRepository',
  'getTreeRepository',
  'into',
  'insert',
  'update',
  'upsert',
  'save',
  'delete',
  'remove',
  'softDelete',
  'softRemove',
  'restore',
  'recover',
  'increment',
  'decrement',
  'clear',
]);

/** What a file writes. */
export function tableWrites(source: ts.SourceFile): TableWrite[] {
  const constants = constantsOf(source);
  const writes: TableWrite[] = [];
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    const text = sqlText(node, constants);
    if (text !== null)
      for (const write of writesOf(text)) writes.push({ ...write, line: lineAt(node.getStart(source)) });
    const named = ts.isCallExpression(node) ? writtenBy(node) : null;
    if (named !== null) writes.push({ table: named, isCertain: false, line: lineAt(node.getStart(source)) });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return writes;
}

export function entityTables(source: ts.SourceFile): EntityTable[] {
  return source.statements.filter(ts.isClassDeclaration).flatMap((statement) => {
    const decorator = (ts.getDecorators(statement) ?? []).map(({ expression }) => expression).find(isEntity);
    const [table] = decorator?.arguments ?? [];
    return table !== undefined && ts.isStringLiteralLike(table)
      ? [{ table: table.text, entity: statement.name?.text ?? '' }]
      : [];
  });
}

function isEntity(expression: ts.Expression): expression is ts.CallExpression {
  return ts.isCallExpression(expression) && expression.expression.getText() === 'Entity';
}

/** Texts that templates of the file may contain. */
function constantsOf(source: ts.SourceFile): ReadonlyMap<string, string> {
  const declarations = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations]);
  return new Map(
    declarations.flatMap(({ name, initializer }) =>
      initializer && ts.isStringLiteralLike(initializer) ? [[name.getText(source), initializer.text] as const] : [],
    ),
  );
}

function sqlText(node: ts.Node, constants: ReadonlyMap<string, string>): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  const spans = node.templateSpans.map(({ expression, literal }) => {
    const known = ts.isIdentifier(expression) ? constants.get(expression.text) : undefined;
    return (known ?? ELSEWHERE) + literal.text;
  });
  return node.head.text + spans.join('');
}

function* writesOf(text: string): Generator<Pick<TableWrite, 'table' | 'isCertain'>> {
  for (const { index, 1: verb = '', 2: name = '' } of text.matchAll(WRITE)) {
    const isUpdate = verb.toUpperCase() === 'UPDATE';
    if (isUpdate && LOCK_OR_CONFLICT.test(text.slice(0, index))) continue;
    const table = name.replaceAll('"', '').toLowerCase();
    const isElsewhere = table === '' || table === ELSEWHERE;
    const isCertain = verb === verb.toUpperCase() && !(isUpdate && table === '');
    if (isCertain || !isElsewhere) yield { table: isElsewhere ? null : table, isCertain };
  }
}

/** `manager.save(User, …)`, `getRepository('users')`, `.insert().into('users')`. */
function writtenBy({ expression, arguments: given }: ts.CallExpression): string | null {
  const [first] = given;
  if (first === undefined || !ts.isPropertyAccessExpression(expression) || !WRITERS.has(expression.name.text))
    return null;
  return ts.isStringLiteralLike(first) || ts.isIdentifier(first) ? first.text : null;
}
