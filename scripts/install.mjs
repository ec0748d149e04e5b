// What `npm start` and `npm test` do first: install what the lockfile pins, build, and find the pinned Node.
// Runs on whatever Node the machine has (18 or newer), before anything is installed: no dependencies.
//
//   import { prepare, SetupError } from './install.mjs';
//   const node = await prepare({ build: true });   // path of a Node that can run the registry
//
// A failure that the user can mend is a SetupError whose message says how.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const LOWEST_NODE = [24, 11];
const HEARTBEAT_MS = 5_000;
const LOCK_STALE_MS = 30_000;
const BUILD_INPUTS = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', '.swcrc'];
// Tests are not built, and metadata.ts is what the build's own swagger plugin writes beside the sources.
const NO_INPUT = /\.spec\.ts$|^metadata\.ts$/;

/**
 * How the registry's Node is run. On a machine with much memory V8 would let short-lived objects take up to 200 MB
 * before it looks at them; the registry promises to stay below 300 MB in all (test/bounds/memory.spec.ts).
 */
export const NODE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=16'];

export class SetupError extends Error {}

/** Installs and builds what is missing or out of date; returns the path of the Node to run with. */
export async function prepare({ build = true, say = (line) => process.stderr.write(`${line}\n`) } = {}) {
  const isReady = () => isInstalled() && (!build || isBuilt());
  if (!isReady()) {
    await whileLocked(say, async () => {
      if (!isInstalled()) await install(say);
      if (build && !isBuilt()) await buildProject(pinnedNode(), say);
    });
  }
  return pinnedNode();
}

/** npm writes its own copy of the lockfile into node_modules last, so an interrupted installation has none. */
export function isInstalled() {
  const [pinned, installed] = [readLock('package-lock.json'), readLock('node_modules/.package-lock.json')];
  return pinned !== null && installed !== null && agree(pinned, installed);
}

/** True when what is installed is every package of the lockfile at its version, and nothing else. */
export function agree(pinned, installed) {
  for (const [name, entry] of Object.entries(pinned)) {
    if (name === '' || entry.link) continue;
    // An optional package for another platform is in the lockfile and never on this machine.
    if (installed[name] === undefined ? !entry.optional : installed[name].version !== entry.version) return false;
  }
  return Object.keys(installed).every((name) => pinned[name] !== undefined);
}

/** True when dist was built from exactly these sources. */
export function isBuilt() {
  const stamp = path.join(root, 'dist', '.build-stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesHash();
}

/** The Node that package.json pins; the one that is running will do when it is new enough. */
export function pinnedNode() {
  const pinned = path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (isNewEnough(versionOf(pinned))) return pinned;
  if (isNewEnough(process.version)) return process.execPath;
  throw new SetupError(
    `Aerugo needs Node ${LOWEST_NODE.join('.')} or newer; this is ${process.version}, and the Node that package.json pins has no ` +
      `binary in node_modules because npm ran without install scripts.\n` +
      `Run "npm rebuild node --ignore-scripts=false" here (or install a newer Node), then try again.`,
  );
}

/**
 * Runs a script on the pinned Node with this process's terminal; signals are passed on.
 * Resolves with the exit code that this process should end with.
 */
export function runOn(node, args, { env = process.env } = {}) {
  const child = spawn(node, args, { cwd: root, env, stdio: 'inherit' });
  // The terminal sends Ctrl-C to the whole group; only what was sent to this process alone is passed on.
  const passOn = (signal) => child.kill(signal);
  const ignore = () => undefined;
  process.on('SIGTERM', passOn).on('SIGHUP', passOn);
  process.on('SIGINT', process.stdin.isTTY ? ignore : passOn);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') process.stderr.write('killed (SIGKILL), perhaps because memory ran out\n');
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

async function install(say) {
  const pinned = readLock('package-lock.json');
  if (pinned === null) throw new SetupError('package-lock.json is missing or damaged; restore it from git.');
  const names = Object.keys(pinned).filter((name) => name !== '' && !pinned[name].optional);
  say(`installing the ${names.length} packages that package-lock.json pins (about a minute, once)`);
  const progress = () => {
    // npm makes every directory first and fills it later.
    const there = names.filter((name) => existsSync(path.join(root, name, 'package.json'))).length;
    return there < names.length ? `${there} of ${names.length} packages` : 'running install scripts';
  };
  // NODE_ENV=production would leave out the compiler.
  await runStep('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { say, progress });
  if (!isInstalled()) throw new SetupError('npm ci ended, but node_modules is not what package-lock.json pins.');
}

async function buildProject(node, say) {
  const hash = sourcesHash();
  say('building');
  await runStep(node, [path.join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'], { say });
  writeFileSync(path.join(root, 'dist', '.build-stamp'), hash);
}

/** Runs a command, saying every few seconds that it goes on; its output is shown when it fails. */
async function runStep(command, args, { say, progress = () => 'still at it' }) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const heartbeat = setInterval(() => say(`  ${progress()}, ${seconds()} s`), HEARTBEAT_MS);
  const output = [];
  const code = await new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: pathOutsideProject() },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', resolve);
  })
    .catch((error) => {
      throw new SetupError(`cannot run ${command}: ${error.message}`);
    })
    .finally(() => clearInterval(heartbeat));
  if (code === 0) return say(`  done in ${seconds()} s`);
  throw new SetupError(
    `${Buffer.concat(output)}\n"${path.basename(command)} ${args.join(' ')}" failed (above is why).`,
  );
}

/** `npm run` puts node_modules/.bin first, whose Node `npm ci` would delete under its own feet. */
function pathOutsideProject() {
  const own = path.join(root, 'node_modules') + path.sep;
  const parts = (process.env.PATH ?? '').split(path.delimiter);
  return parts.filter((part) => !`${part}${path.sep}`.startsWith(own)).join(path.delimiter);
}

/** One installation or build at a time in this checkout; a lock that nobody has touched for a while is void. */
async function whileLocked(say, work) {
  const lock = path.join(root, '.cache', 'install.lock');
  mkdirSync(path.dirname(lock), { recursive: true });
  for (let waited = false; !tryLock(lock); waited = true) {
    if (!waited) say('another process is installing or building here; waiting for it');
    await sleep(500);
  }
  const touch = setInterval(() => utimesSync(lock, new Date(), new Date()), HEARTBEAT_MS);
  try {
    await work();
  } finally {
    clearInterval(touch);
    rmSync(lock, { force: true });
  }
}

function tryLock(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS) rmSync(lock, { force: true });
  } catch {
    // No lock, or its owner has just removed it.
  }
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new SetupError(`cannot write in ${path.dirname(lock)}: ${error.message}`);
  }
}

function sourcesHash() {
  const hash = createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json')));
  for (const input of BUILD_INPUTS) for (const file of filesBelow(path.join(root, input))) addFile(hash, file);
  return hash.digest('hex');
}

function addFile(hash, file) {
  const bytes = readFileSync(file);
  hash.update(`${path.relative(root, file)}\0${bytes.length}\0`).update(bytes);
}

function filesBelow(entry) {
  if (!existsSync(entry)) return [];
  if (!statSync(entry).isDirectory()) return [entry];
  const names = readdirSync(entry).sort();
  return names.flatMap((name) => (NO_INPUT.test(name) ? [] : filesBelow(path.join(entry, name))));
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(path.join(root, file), 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

function versionOf(binary) {
  if (!existsSync(binary)) return null;
  const answer = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return answer.status === 0 ? answer.stdout.trim() : null;
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = (version ?? '').replace('v', '').split('.').map(Number);
  return major > LOWEST_NODE[0] || (major === LOWEST_NODE[0] && minor >= LOWEST_NODE[1]);
}
