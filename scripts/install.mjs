// What `npm start` and `npm test` do first: install what the lockfile pins, build, and find the pinned Node.
// Runs on whatever Node the machine has (18 or newer), before anything is installed: no dependencies.
//
//   import { prepare, SetupError } from './install.mjs';
//   const node = await prepare({ build: true });   // path of a Node that can run the registry
//
// A failure that the user can mend is a SetupError whose message says how.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { takeLock } from './install-lock.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const LOWEST_NODE = [24, 11];
const HEARTBEAT_MS = 5_000;
const STEP_PATIENCE_MS = 5_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const BUILD_INPUTS = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', '.swcrc'];
// Tests are not built, and metadata.ts is what the build's own swagger plugin writes beside the sources.
const NO_INPUT = /\.spec\.ts$|^metadata\.ts$/;

/**
 * How the registry's Node is run. On a machine with much memory V8 would let short-lived objects take up to 200 MB
 * before a collection; the registry promises to stay below 300 MB in all (test/bounds/memory.spec.ts). `gc` collects the
 * garbage of many uploads (src/fairness/garbage.ts). No source maps: they take 10 MB from the start, and the compiled
 * files read almost like the sources.
 */
export const NODE_FLAGS = ['--max-semi-space-size=8', '--expose-gc'];
/**
 * Its variables. Reads and writes of blobs wait for the disk on libuv's threads, whose default of four is too few for
 * eight pushes; glibc would give each thread a heap of its own, 25 MB together. Its thresholds are fixed: by default glibc
 * raises them with each large buffer that is freed, and then keeps up to 64 MiB of freed memory.
 */
export const NODE_VARIABLES = {
  UV_THREADPOOL_SIZE: '16',
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

export class SetupError extends Error {}

/**
 * Installs and builds what is missing or out of date; returns the path of the Node to run with.
 * Ctrl-C and SIGTERM meanwhile end what it has started, and then this process.
 */
export async function prepare({ build = true, say = (line) => process.stderr.write(`${line}\n`) } = {}) {
  const isReady = () => isInstalled() && (!build || isBuilt());
  if (!isReady()) {
    await whileLocked(say, async (turn) => {
      if (!isInstalled()) await install(turn);
      if (build && !isBuilt()) await buildProject(pinnedNode(), turn);
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

async function install(turn) {
  const pinned = readLock('package-lock.json');
  if (pinned === null) throw new SetupError('package-lock.json is missing or damaged; restore it from git.');
  const names = Object.keys(pinned).filter((name) => name !== '' && !pinned[name].optional);
  turn.say(`installing the ${names.length} packages that package-lock.json pins (about a minute, once)`);
  const progress = () => {
    // npm makes every directory first and fills it later.
    const there = names.filter((name) => existsSync(path.join(root, name, 'package.json'))).length;
    return there < names.length ? `${there} of ${names.length} packages` : 'running install scripts';
  };
  // NODE_ENV=production would leave out the compiler.
  await runStep('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], turn, progress);
  if (!isInstalled()) throw new SetupError('npm ci ended, but node_modules is not what package-lock.json pins.');
}

async function buildProject(node, turn) {
  const hash = sourcesHash();
  turn.say('building');
  await runStep(node, [path.join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'], turn);
  writeFileSync(path.join(root, 'dist', '.build-stamp'), hash);
}

/** Runs a command, saying every few seconds that it goes on; its output is shown when it fails. */
async function runStep(command, args, turn, progress = () => 'still at it') {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const heartbeat = setInterval(() => turn.say(`  ${progress()}, ${seconds()} s`), HEARTBEAT_MS);
  const output = [];
  const code = await new Promise((resolve, reject) => {
    turn.stop.throwIfAborted();
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: pathOutsideProject() },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      detached: process.platform !== 'win32', // a group of its own, which is ended with all that it has started
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', resolve);
    if (child.pid === undefined) return;
    turn.lock.add(child.pid);
    turn.stop.addEventListener('abort', () => endGroup(child));
  })
    .catch((error) => {
      throw new SetupError(`cannot run ${command}: ${error.message}`);
    })
    .finally(() => clearInterval(heartbeat));
  if (code === 0) return turn.say(`  done in ${seconds()} s`);
  throw new SetupError(
    `${Buffer.concat(output)}\n"${path.basename(command)} ${args.join(' ')}" failed (above is why).`,
  );
}

function endGroup(leader) {
  const send = (signal) => {
    try {
      process.kill(-leader.pid, signal);
    } catch {
      // All of it has ended.
    }
  };
  send('SIGTERM');
  const timer = setTimeout(send, STEP_PATIENCE_MS, 'SIGKILL');
  leader.on('close', () => clearTimeout(timer));
}

/** `npm run` puts node_modules/.bin first, whose Node `npm ci` would delete under its own feet. */
function pathOutsideProject() {
  const own = path.join(root, 'node_modules') + path.sep;
  const parts = (process.env.PATH ?? '').split(path.delimiter);
  return parts.filter((part) => !`${part}${path.sep}`.startsWith(own)).join(path.delimiter);
}

/**
 * One installation or build at a time in this checkout. `work` is given what its steps need: `say`, the lock that
 * they enter themselves in, and the signal that ends them.
 */
async function whileLocked(say, work) {
  const lock = await waitForLock(say);
  const interruption = new AbortController();
  const stop = interruption.signal;
  const onSignal = (name) => interruption.abort(name);
  for (const name of SIGNALS) process.on(name, onSignal);
  const touch = setInterval(() => lock.touch(), HEARTBEAT_MS);
  try {
    await work({ say, lock, stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    clearInterval(touch);
    lock.release();
    for (const name of SIGNALS) process.off(name, onSignal);
  }
  if (!stop.aborted) return;
  say('interrupted; the next run installs and builds what is still missing');
  process.exit(128 + constants.signals[stop.reason]);
}

async function waitForLock(say) {
  const file = path.join(root, '.cache', 'install.lock');
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    for (let hasWaited = false; ; hasWaited = true) {
      const lock = takeLock(file);
      if (lock !== null) return lock;
      if (!hasWaited) say('another process is installing or building here; waiting for it');
      await sleep(500);
    }
  } catch (error) {
    throw new SetupError(`cannot write in ${path.dirname(file)}: ${error.message}`);
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
