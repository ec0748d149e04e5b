// `npm test [-- <pattern>…] [-- <jest options>]`: every test that this machine can run, in every setting.
// Runs on whatever Node the machine has; installs and builds first, then jest on the pinned Node, suite by suite.
// A pattern is a part of a spec file's path or of a suite's name. The last line is `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { countResult, planSuite, PROGRAMS, SUITES } from '../test/suites.mjs';
import { createRunDirectory, removeRunDirectory, RUN_DIRECTORY } from '../test/support/run-directory.mjs';
import { prepare, root, SetupError } from './install.mjs';

const say = (line) => process.stdout.write(`${line}\n`);
const searchPath = programPath();
let running;

async function main(args) {
  const firstOption = args.findIndex((arg) => arg.startsWith('-'));
  const patterns = firstOption < 0 ? args : args.slice(0, firstOption);
  const jestOptions = firstOption < 0 ? [] : args.slice(firstOption).filter((arg) => arg !== '--');

  const specs = findSpecs();
  const homeless = specs.filter(({ file }) => !SUITES.some((suite) => suite.files.test(file)));
  if (homeless.length > 0) {
    throw new SetupError(`no suite in test/suites.mjs has ${homeless.map(({ file }) => file).join(', ')}`);
  }
  const plans = SUITES.map((suite) => planSuite(suite, narrow(suite, specs, patterns), isAvailable));
  if (plans.every((plan) => plan.run.length + plan.leftOut.length === 0)) {
    throw new SetupError(`no spec file and no suite has ${patterns.join(' or ')} in its name`);
  }

  const node = await prepare({ say });
  const directory = createRunDirectory();
  const stop = endOnSignal(directory);
  const totals = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const plan of plans) add(totals, await runPlan(node, plan, directory, jestOptions));
  } finally {
    stop();
    await removeRunDirectory(directory);
  }
  return report(plans, totals);
}

/** Files of a suite that a pattern names; a suite that is named itself runs whole. */
function narrow(suite, specs, patterns) {
  if (patterns.length === 0 || patterns.some((pattern) => suite.name.includes(pattern))) return specs;
  return specs.filter(({ file }) => patterns.some((pattern) => file.includes(pattern)));
}

async function runPlan(node, { suite, run }, directory, jestOptions) {
  if (run.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  say(`\n== ${suite.name}: ${run.length} spec file${run.length === 1 ? '' : 's'}`);
  const started = Date.now();
  const result = path.join(directory, 'jest-result.json');
  rmSync(result, { force: true });
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const threads = path.join(root, 'test', 'support', 'typescript-workers.mjs');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--import', threads];
  const options = ['--json', `--outputFile=${result}`, '--reporters=default'];
  const workers = ['--maxWorkers', String(suite.workers ?? 2), ...jestOptions];
  const env = { ...process.env, ...suite.env, PATH: searchPath, [RUN_DIRECTORY]: directory };
  const ending = await runJest(node, [...flags, jest, ...options, ...workers, '--runTestsByPath', ...run], env, suite);
  const counts = countResult(readResult(result), ending, { isFiltered: jestOptions.length > 0 });
  if (ending !== null) say(ending);
  say(`== ${suite.name}: ${line(counts)} (${Math.round((Date.now() - started) / 1000)} s)`);
  return counts;
}

/** What only says how jest was called. */
const JEST_NOISE = /^(\x1b\[\d+m)*(Test results written to: |Ran all test suites)/;

/** Resolves with `null` when jest ended by itself with 0, else with why not. Its JSON goes to the file, not here. */
function runJest(node, args, env, { minutes = 10 }) {
  const colour = process.stderr.isTTY ? { FORCE_COLOR: '1' } : {};
  const child = spawn(node, args, { cwd: root, env: { ...colour, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  createInterface(child.stderr).on('line', (text) => {
    if (!JEST_NOISE.test(text)) say(text);
  });
  running = child;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, minutes * 60_000);
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (isLate) resolve(`gave up after ${minutes} minutes`);
      else resolve(code === 0 ? null : `jest ended with ${code ?? signal}`);
    });
  });
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function report(plans, totals) {
  const leftOut = plans.flatMap((plan) => plan.leftOut);
  if (leftOut.length > 0) say('');
  for (const { name, missing } of leftOut) {
    const commands = [...new Set(missing.map(wayToGet))];
    say(`left out: ${name}: needs ${missing.join(' and ')}; get it with ${commands.join(' && ')}`);
  }
  totals.skipped += leftOut.length;
  // CI has every program: there a suite that is left out is one that silently stopped running.
  const isComplete = leftOut.length === 0 || process.env.CI !== 'true';
  if (!isComplete) say('CI must leave nothing out');
  say(`\n${line(totals)}`);
  return totals.failed === 0 && isComplete ? 0 : 1;
}

function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function add(totals, counts) {
  for (const name of Object.keys(totals)) totals[name] += counts[name];
}

function findSpecs() {
  return ['src', 'test']
    .flatMap((top) => specsBelow(top))
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
}

function specsBelow(directory) {
  const entries = readdirSync(path.join(root, directory), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const name = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return specsBelow(name);
    return name.endsWith('.spec.ts') ? [name] : [];
  });
}

function isAvailable(program) {
  const known = PROGRAMS[program];
  if (known === undefined) throw new SetupError(`a spec file needs "${program}", which test/suites.mjs does not know`);
  if (known.root && process.getuid?.() !== 0) return false;
  return known.found.every((name) =>
    searchPath.split(path.delimiter).some((place) => isExecutable(path.join(place, name))),
  );
}

function wayToGet(program) {
  const { root: asRoot, get } = PROGRAMS[program];
  return asRoot && process.getuid?.() !== 0 ? `${get} (and run as root)` : get;
}

/** PATH, and beside it where `.ci/install` and Debian put programs that are not in everybody's PATH. */
function programPath() {
  const go = process.env.GOBIN ?? path.join(os.homedir(), 'go', 'bin');
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => path.join(debian, version, 'bin')) : [];
  return [process.env.PATH, go, '/usr/local/sbin', '/usr/sbin', '/sbin', ...versions]
    .filter(Boolean)
    .join(path.delimiter);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Ctrl-C and SIGTERM end what the run has started, too: jest first, or it would start more. */
function endOnSignal(directory) {
  const onSignal = async () => {
    if (running?.exitCode === null && running.signalCode === null) {
      running.kill('SIGKILL');
      await once(running, 'exit');
    }
    await removeRunDirectory(directory).finally(() => process.exit(130));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof SetupError ? error.message : String(error.stack));
  say('\n0 passed, 1 failed, 0 skipped');
  process.exitCode = 1;
}
