// What `npm test` runs: the same spec files, in every setting that the registry is made for.
// Plain JavaScript without dependencies: scripts/test.mjs reads it before anything is installed.

/**
 * Programs that a suite may need, how to see whether they are there, and how to get them. `found` names executables
 * of which each must be in PATH, in ~/go/bin or below /usr/lib/postgresql.
 */
export const PROGRAMS = {
  postgresql: { found: ['initdb'], get: 'apt-get install postgresql' },
  pgbouncer: { found: ['pgbouncer'], get: 'apt-get install pgbouncer' },
  'redis-server': { found: ['redis-server'], get: 'apt-get install redis-server' },
  versitygw: { found: ['versitygw'], get: 'bash .ci/install go' },
  minio: { found: ['minio'], get: 'bash .ci/install go' },
  dockerd: { found: ['dockerd', 'docker'], get: 'apt-get install docker.io', root: true },
  skopeo: { found: ['skopeo'], get: 'apt-get install skopeo' },
  buildah: { found: ['buildah'], get: 'apt-get install buildah', root: true },
  oras: { found: ['oras'], get: 'bash .ci/install trixie' },
  cosign: { found: ['cosign'], get: 'bash .ci/install trixie' },
  'docker-compose': { found: ['docker-compose'], get: 'bash .ci/install trixie' },
  crane: { found: ['crane'], get: 'bash .ci/install go' },
  regctl: { found: ['regctl'], get: 'bash .ci/install go' },
  regsync: { found: ['regsync'], get: 'bash .ci/install go' },
  helm: { found: ['helm'], get: 'bash .ci/install go' },
  'helm-docs': { found: ['helm-docs'], get: 'bash .ci/install go' },
  'kubernetes-validate': { found: ['kubernetes-validate'], get: 'bash .ci/install helm' },
  'custom-resources': { found: ['custom-resources'], get: 'bash .ci/install helm' },
  'pod-standard': { found: ['pod-standard'], get: 'bash .ci/install helm' },
  actionlint: { found: ['actionlint'], get: 'bash .ci/install go' },
  gitleaks: { found: ['gitleaks'], get: 'bash .ci/install go' },
  squid: { found: ['squid'], get: 'apt-get install squid' },
  mount: { found: ['mount', 'umount'], get: 'apt-get install mount', root: true },
  openssl: { found: ['openssl'], get: 'apt-get install openssl' },
  curl: { found: ['curl'], get: 'apt-get install curl' },
  jq: { found: ['jq'], get: 'apt-get install jq' },
  schemathesis: { found: ['schemathesis'], get: 'bash .ci/install python' },
  chromium: { found: ['chromium'], get: 'apt-get install chromium' },
  wrk: { found: ['wrk'], get: 'apt-get install wrk' },
  nginx: { found: ['nginx'], get: 'apt-get install nginx-light' },
  prometheus: { found: ['prometheus', 'promtool'], get: 'apt-get install prometheus' },
  'docker-registry': { found: ['docker-registry'], get: 'apt-get install docker-registry' },
};

const isSoak = process.env.SOAK === 'full';

const FILESYSTEM = { TEST_STORE: 'filesystem' };
const S3 = { TEST_STORE: 's3', TEST_S3: 'versitygw' };
const MINIO = { TEST_STORE: 's3', TEST_S3: 'minio' };
const EMBEDDED = { TEST_DATABASE: 'embedded' };
const DEBIAN = { TEST_DATABASE: 'debian' };
const REDIS = { TEST_REDIS: '1' };

/**
 * One row a suite:
 * - `files`: which spec files, by their path from the root;
 * - `using`: of these only the files whose text has this (a suite that repeats what another setting changes), without
 *   those that have a line `// once: …`, which says why no other setting changes anything in them;
 * - `needs`: programs that the setting needs, beside what each file needs;
 * - `env`: the setting; `workers`: spec files at once (default 2, more where they wait much); `minutes`: until it is given up (default 10).
 * The files of a suite that have a line `// long: …` come first (`test/support/longest-first.mjs`).
 */
export const SUITES = [
  { name: 'units', files: /^src\//, env: EMBEDDED },
  { name: 'units on PostgreSQL 15', files: /^src\//, using: 'support/postgres.js', needs: ['postgresql'], env: DEBIAN },
  { name: 'structure', files: /^test\/([^/]+|architecture\/.*)\.spec\.ts$/, env: EMBEDDED },
  { name: 'documentation', files: /^test\/docs\//, env: EMBEDDED },
  { name: 'test support', files: /^test\/support\//, env: EMBEDDED },
  { name: 'chart', files: /^test\/helm\//, env: EMBEDDED },
  { name: 'contracts', files: /^test\/contracts\//, env: EMBEDDED },
  {
    name: 'units and contracts on S3 (MinIO)',
    files: /^(src|test\/contracts)\//,
    using: 'support/s3.js',
    needs: ['minio'],
    env: { ...MINIO, ...EMBEDDED },
  },
  { name: 'protocol on the filesystem', files: /^test\/conformance\//, env: { ...FILESYSTEM, ...EMBEDDED } },
  {
    name: 'protocol on S3 (versitygw) with PostgreSQL 15 and Redis',
    files: /^test\/conformance\//,
    needs: ['versitygw', 'postgresql', 'redis-server'],
    env: { ...S3, ...DEBIAN, ...REDIS },
  },
  {
    name: 'protocol on S3 (MinIO)',
    files: /^test\/conformance\//,
    needs: ['minio'],
    env: { ...MINIO, ...EMBEDDED },
  },
  {
    name: 'end to end on the filesystem',
    files: /^test\/e2e\//,
    env: { ...FILESYSTEM, ...EMBEDDED },
    workers: 3,
    minutes: isSoak ? 120 : 45,
  },
  {
    name: 'end to end on S3 (versitygw) with PostgreSQL 15 and Redis',
    files: /^test\/e2e\//,
    using: 'startRegistry(',
    needs: ['versitygw', 'postgresql', 'redis-server'],
    env: { ...S3, ...DEBIAN, ...REDIS },
    workers: 3,
    minutes: isSoak ? 120 : 30,
  },
  { name: 'the command line', files: /^test\/cli\//, env: { ...FILESYSTEM, ...EMBEDDED } },
  // The image is built and waited for most of its time: clients run beside it.
  {
    name: 'real clients and container image',
    files: /^test\/(clients|image)\//,
    env: { ...FILESYSTEM, ...EMBEDDED },
    workers: 3,
    minutes: 20,
  },
  {
    name: 'real clients on S3 (versitygw)',
    files: /^test\/clients\//,
    using: 'startRegistry(',
    needs: ['versitygw'],
    env: { ...S3, ...EMBEDDED },
    minutes: 15,
  },
  // Alone on the machine: what they measure, a neighbour would change.
  { name: 'bounds on the filesystem', files: /^test\/bounds\//, env: { ...FILESYSTEM, ...EMBEDDED }, workers: 1 },
  {
    name: 'bounds on S3 (versitygw)',
    files: /^test\/bounds\//,
    using: 'startRegistry(',
    needs: ['versitygw'],
    env: { ...S3, ...EMBEDDED },
    workers: 1,
  },
  {
    name: 'operations on S3 (versitygw) with PostgreSQL 15 and Redis',
    files: /^test\/operations\//,
    needs: ['versitygw', 'postgresql', 'redis-server'],
    env: { ...S3, ...DEBIAN },
    workers: 1,
  },
  {
    name: 'cluster on S3 with PostgreSQL 15 and Redis',
    files: /^test\/cluster\//,
    needs: ['postgresql'],
    env: DEBIAN,
    workers: 1,
    minutes: isSoak ? 60 : 10,
  },
];

/** What a spec file needs: the servers whose support it imports, and what a line `// needs: skopeo oras` in it says. */
export function needsOf(text, env = {}) {
  const [, declared = ''] = /^\/\/ needs: (.*)$/m.exec(text) ?? [];
  const imported = [
    ['support/redis.js', 'redis-server'],
    ['support/redis-cluster.js', 'redis-server'],
    ['support/certificates.js', 'openssl'],
    ['support/pgbouncer.js', 'pgbouncer'],
    ['support/dockerd.js', 'dockerd'],
    ['support/browser.js', 'chromium'],
    ['support/s3.js', env.TEST_S3 ?? 'versitygw'],
    ['./cluster.js', 'redis-server'],
    ['./cluster.js', env.TEST_S3 ?? 'versitygw'],
  ].flatMap(([module, program]) => (text.includes(module) ? [program] : []));
  return [...new Set([...declared.split(/[\s,]+/).filter(Boolean), ...imported])];
}

/**
 * What of a suite can run here, and what is left out for which missing programs.
 * `specs` are `{ file, text }`; `has(program)` tells whether a program is there.
 */
export function planSuite(suite, specs, has) {
  const chosen = specs.filter(({ file, text }) => suite.files.test(file) && isUsing(text, suite.using));
  const plan = { suite, run: [], leftOut: [] };
  if (chosen.length === 0) return plan;
  const missingForAll = (suite.needs ?? []).filter((program) => !has(program));
  if (missingForAll.length > 0) return { ...plan, leftOut: [{ name: suite.name, missing: missingForAll }] };
  for (const { file, text } of chosen) {
    const missing = needsOf(text, suite.env).filter((program) => !has(program));
    if (missing.length === 0) plan.run.push(file);
    else plan.leftOut.push({ name: `${suite.name}: ${file}`, missing });
  }
  return plan;
}

function isUsing(text, using) {
  return using === undefined || (text.includes(using) && !/^\/\/ once: \S/m.test(text));
}

/**
 * The counts of one jest run, from its JSON (`null` when it wrote none) and from why it ended (`null`: by itself, with
 * 0). A jest that crashed or ran nothing is a failure, and so is a spec file that could not be loaded.
 */
export function countResult(result, ending, { isFiltered = false } = {}) {
  if (result === null) return { passed: 0, failed: 1, skipped: 0 };
  const counts = {
    passed: result.numPassedTests,
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped: result.numPendingTests + result.numTodoTests,
  };
  const isEmpty = counts.passed + counts.failed === 0 && !isFiltered;
  return counts.failed === 0 && (ending !== null || isEmpty) ? { ...counts, failed: 1 } : counts;
}
