import { describe, expect, it } from '@jest/globals';
import { COMPOSITION } from './module-table.js';
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
} from './rules.js';
import { readSource } from './source-facts.js';

type Files = Readonly<Record<string, string>>;

const check = (rule: Rule, files: Files) => rule(Object.entries(files).map(([file, text]) => readSource(file, text)));
const USER = { 'src/identity/users/user.entity.ts': "@Entity('users') class User {}" };
const TABLE = { oci: [], users: ['oci'], repos: ['users'], 'server/tls': [], 'identity/badges': [] };
const underTable: Rule = (sources) => moduleTableHolds(sources, TABLE);

function manyFiles(folder: string, count: number): Files {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${folder}/a${at}.ts`, '']));
}

/** A rule, a small program that breaks it, and what the rule says of it. */
const BROKEN: readonly (readonly [string, Rule, Files, string])[] = [
  [
    'a missing cell',
    underTable,
    { 'src/users/a.ts': "import '../repos/b.js';" },
    'src/users/a.ts:1: users may not import repos',
  ],
  [
    'a type import without a cell',
    underTable,
    { 'src/oci/a.ts': "import type { B } from '../users/b.js';" },
    'oci may not',
  ],
  [
    'a dynamic import without a cell',
    underTable,
    { 'src/oci/a.ts': "void import('../users/b.js');" },
    'oci may not import users',
  ],
  [
    'an import type without a cell',
    underTable,
    { 'src/oci/a.ts': "let b: import('../users/b.js').B;" },
    'oci may not import users',
  ],
  [
    'a re-export without a cell',
    underTable,
    { 'src/oci/a.ts': "export { b } from '../users/b.js';" },
    'oci may not import users',
  ],
  ['a module without a row', underTable, { 'src/misc/a.ts': '' }, 'module "misc" has no row'],
  ['a module below a folder without a row', underTable, { 'src/identity/a/b.ts': '' }, 'module "identity" has no row'],
  [
    'an import of a module two folders deep',
    underTable,
    { 'src/users/a.ts': "import '../identity/badges/forms/b.js';" },
    'users may not import identity/badges',
  ],
  [
    'a module inside the composition that imports it',
    underTable,
    { 'src/server/tls/a.ts': "import '../start.js';" },
    'server/tls may not import src/server/start.ts',
  ],
  [
    'a module that imports the composition',
    underTable,
    { 'src/users/a.ts': "import '../main.js';" },
    'users may not import src/main.ts',
  ],
  [
    'a repository of another module',
    privateFilesStayPrivate,
    { 'src/repos/a.service.ts': "import { U } from '../users/users.repository.js';" },
    'src/users/users.repository.ts is private',
  ],
  [
    'an entity of another module in a service',
    privateFilesStayPrivate,
    { 'src/repos/a.service.ts': "import { U } from '../users/user.entity.js';" },
    'src/users/user.entity.ts is private',
  ],
  [
    'settings that load their module',
    declarationsOnlyDeclare,
    { 'src/users/users.config.ts': "import { U } from './users.service.js';" },
    'a .config.ts only declares',
  ],
  [
    'events that load their module',
    declarationsOnlyDeclare,
    { 'src/users/users.events.ts': "import { U } from './users.service.js';" },
    'a .events.ts only declares',
  ],
  [
    'typeorm in a service',
    packagesHaveOwners,
    { 'src/users/a.service.ts': "import { In } from 'typeorm';" },
    'typeorm belongs',
  ],
  [
    'a file inside typeorm',
    packagesHaveOwners,
    { 'src/users/a.ts': "import 'typeorm/driver/x.js';" },
    'typeorm belongs',
  ],
  [
    'a DELETE from a table of another module',
    tablesHaveOneWriter,
    { ...USER, 'src/identity/orgs/a.ts': "\nconst a = 'DELETE FROM users WHERE id = $1';" },
    'src/identity/orgs/a.ts:2: users is written by identity/users',
  ],
  [
    'an INSERT in the middle of a template',
    tablesHaveOneWriter,
    {
      ...USER,
      'src/identity/orgs/a.ts': 'const a = `WITH a AS (${b}), c AS (INSERT INTO users (id) VALUES ($1)) SELECT`;',
    },
    'users is written by identity/users',
  ],
  [
    'an UPDATE over two lines, in small letters and with a schema',
    tablesHaveOneWriter,
    { ...USER, 'src/identity/orgs/a.ts': 'const a = `update\n  only public."users" set admin = true`;' },
    'users is written by identity/users',
  ],
  [
    'a table in a constant',
    tablesHaveOneWriter,
    { ...USER, 'src/identity/orgs/a.ts': "const t = 'users'; const a = `TRUNCATE ${t}`;" },
    'users is written by identity/users',
  ],
  [
    'a table from elsewhere',
    tablesHaveOneWriter,
    { 'src/identity/orgs/a.ts': 'const a = (t: string) => `DELETE FROM ${t} WHERE id = $1`;' },
    'a table that is not spelled out',
  ],
  [
    'a table from elsewhere, added to the text',
    tablesHaveOneWriter,
    { 'src/identity/orgs/a.ts': "const a = (t: string) => 'INSERT INTO ' + t;" },
    'a table that is not spelled out',
  ],
  [
    'a table of no module',
    tablesHaveOneWriter,
    { 'src/identity/orgs/a.ts': "const a = 'UPDATE nothing SET a = 1';" },
    'no module owns the table nothing',
  ],
  [
    'a repository of another module by name',
    tablesHaveOneWriter,
    { ...USER, 'src/identity/orgs/a.ts': "manager.getRepository('users');" },
    'users is written by identity/users',
  ],
  [
    "another module's entity in a manager",
    tablesHaveOneWriter,
    { ...USER, 'src/identity/orgs/a.ts': 'await manager.save(User, user);' },
    'User is written by identity/users',
  ],
  [
    'a query builder over the table of another module',
    tablesHaveOneWriter,
    { ...USER, 'src/identity/orgs/a.ts': "await builder.insert().into('users').execute();" },
    'users is written by identity/users',
  ],
  [
    'a write where the program is composed',
    tablesHaveOneWriter,
    { ...USER, 'src/server/a.ts': "const a = 'DELETE FROM users';" },
    'users is written by identity/users',
  ],
  [
    'the S3 SDK outside its driver',
    packagesHaveOwners,
    { 'src/blobs/a.ts': "import '@aws-sdk/client-s3';" },
    '@aws-sdk belongs',
  ],
  [
    'redis outside the cache',
    packagesHaveOwners,
    { 'src/auth/a.ts': "import { createClient } from 'redis';" },
    'Redis and',
  ],
  [
    'a request in a service',
    requestsStayAtTheEdge,
    { 'src/registry/repos/a.service.ts': "import type { R } from '../../http/request-context.js';" },
    'src/http/request-context.ts is not for registry/repos',
  ],
  [
    'a package in a pure module',
    pureModulesImportNoPackages,
    { 'src/oci/a.ts': "import { x } from '@nestjs/common';" },
    'no package',
  ],
  [
    'process.env',
    onlyConfigReadsTheEnvironment,
    { 'src/auth/a.ts': '\nconst a = process.env.A;' },
    'src/auth/a.ts:2: reads',
  ],
  [
    "process['env']",
    onlyConfigReadsTheEnvironment,
    { 'src/auth/a.ts': "const a = process['env'];" },
    'reads process.env',
  ],
  [
    'env out of process',
    onlyConfigReadsTheEnvironment,
    { 'src/auth/a.ts': 'const { env } = process;' },
    'reads process.env',
  ],
  [
    'env out of node:process',
    onlyConfigReadsTheEnvironment,
    { 'src/auth/a.ts': "import { env as e } from 'node:process';" },
    'reads',
  ],
  [
    'a test in the program',
    productionImportsNoTests,
    { 'src/auth/a.ts': "import '../../test/support/s3.js';" },
    'imports a test',
  ],
  ['a barrel by name', nothingIsForwarded, { 'src/auth/index.ts': 'export const a = 1;' }, 'is a barrel'],
  ['a barrel by content', nothingIsForwarded, { 'src/auth/all.ts': "export { a } from './a.js';" }, 'is a barrel'],
  ['export *', nothingIsForwarded, { 'src/auth/a.ts': "export * from './b.js'; export const a = 1;" }, 'is a barrel'],
  [
    'forwardRef',
    nothingIsForwarded,
    { 'src/auth/a.ts': "import { forwardRef as f } from '@nestjs/common';" },
    'forwardRef hides',
  ],
  ['a name in camel case', filesSayTheirRole, { 'src/auth/tokenCache.ts': '' }, '"tokenCache" is not kebab-case'],
  ['an unknown role', filesSayTheirRole, { 'src/auth/token.manager.ts': '' }, '"manager" is not one role'],
  ['two roles', filesSayTheirRole, { 'src/auth/token.service.dto.ts': '' }, 'is not one role'],
  ['a folder without a meaning', filesSayTheirRole, { 'src/auth/utils/a.ts': '' }, 'a folder "utils" says nothing'],
  [
    'an entity under another name',
    filesSayTheirRole,
    { 'src/auth/a.ts': '@Entity() class A {}' },
    'makes it a .entity.ts',
  ],
  ['a fifth file that composes the program', foldersStaySmall, manyFiles('src', 5), 'src: 5 files, of at most 4'],
  ['a crowded folder', foldersStaySmall, manyFiles('src/users', 26), 'src/users: 26 files, of at most 25'],
  [
    'a cycle of three',
    importsHaveNoCycle,
    { 'src/a.ts': "import './b.js';", 'src/b.ts': "import './c.js';", 'src/c.ts': "import type { A } from './a.js';" },
    'src/a.ts → src/b.ts → src/c.ts → src/a.ts',
  ],
];

/** What the same rules must let through. */
const SOUND: readonly (readonly [string, Rule, Files])[] = [
  ['an import with a cell', underTable, { 'src/users/a.ts': "import '../oci/b.js';" }],
  [
    'the command line importing the composition',
    (sources) => moduleTableHolds(sources, { cli: [COMPOSITION] }),
    { 'src/cli/a.ts': "import '../start.js';" },
  ],
  ['a folder of a module', underTable, { 'src/users/forms/a.ts': "import '../../oci/b.js'; import '../c.js';" }],
  ['the server importing a module', underTable, { 'src/server/a.ts': "import './tls/b.js'; import '../repos/b.js';" }],
  ['the composition importing a module', underTable, { 'src/app.module.ts': "import './repos/repos.module.js';" }],
  ['a spec file reaching anywhere', underTable, { 'src/oci/a.spec.ts': "import '../repos/b.js';" }],
  [
    'the server making the request',
    requestsStayAtTheEdge,
    { 'src/server/a.ts': "import { R } from '../http/request-context.js';" },
  ],
  ['a service of another module', privateFilesStayPrivate, { 'src/repos/a.ts': "import '../users/users.service.js';" }],
  [
    'an entity as a relation target',
    privateFilesStayPrivate,
    { 'src/repos/a.entity.ts': "import '../users/user.entity.js';" },
  ],
  ['typeorm in a repository', packagesHaveOwners, { 'src/users/users.repository.ts': "import { In } from 'typeorm';" }],
  [
    'a write in the module of the entity and in a folder below it',
    tablesHaveOneWriter,
    { ...USER, 'src/identity/users/names/a.ts': "const a = 'DELETE FROM users';" },
  ],
  [
    'locks and upserts of what another module owns, and prose',
    tablesHaveOneWriter,
    {
      ...USER,
      'src/identity/orgs/a.ts':
        'const a = `SELECT id FROM users FOR NO KEY UPDATE`; const b = `SELECT FROM users u FOR UPDATE OF u`;' +
        "const c = 'they update their own'; headers.delete('date');",
      'src/identity/users/a.ts':
        'const a = `INSERT INTO users (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = 1`;',
    },
  ],
  ['the S3 SDK in its driver', packagesHaveOwners, { 'src/storage/s3/writer.ts': "import '@aws-sdk/client-s3';" }],
  ["Node's own modules in a pure module", pureModulesImportNoPackages, { 'src/oci/a.ts': "import 'node:crypto';" }],
  ['config reading the environment', onlyConfigReadsTheEnvironment, { 'src/config/a.ts': 'process.env;' }],
  [
    'another thing called env',
    onlyConfigReadsTheEnvironment,
    { 'src/auth/a.ts': 'const a = setting.env; // process.env' },
  ],
  [
    'a file with its own and a re-exported name',
    nothingIsForwarded,
    { 'src/a.ts': "export { b } from './b.js'; const a = 1;" },
  ],
  [
    'a named role',
    filesSayTheirRole,
    { 'src/auth/api-key.entity.ts': '@Entity() class A {}', 'src/auth/a-b.spec.ts': '' },
  ],
  [
    'a full folder with its specs and a folder below it',
    foldersStaySmall,
    { ...manyFiles('src/users', 25), 'src/users/a0.spec.ts': '', ...manyFiles('src/users/names', 25) },
  ],
  [
    'a diamond',
    importsHaveNoCycle,
    { 'src/a.ts': "import './b.js'; import './c.js';", 'src/b.ts': "import './d.js';", 'src/c.ts': "import './d.js';" },
  ],
];

describe('the architecture rules', () => {
  it.each(BROKEN)('report %s', (_name, rule, files, said) => {
    expect(check(rule, files)).toEqual([expect.stringContaining(said)]);
  });

  it.each(SOUND)('accept %s', (_name, rule, files) => {
    expect(check(rule, files)).toEqual([]);
  });
});
