import { afterAll } from '@jest/globals';
import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeOf } from '../../scripts/process-identity.mjs';
import { RUN_DIRECTORY } from './run-directory.mjs';

/** The run's directory: outside the checkout, and gone when the run ends. */
export function runDirectory(): string {
  const directory = process.env[RUN_DIRECTORY];
  if (directory === undefined) throw new Error(`${RUN_DIRECTORY} is not set; jest.config.mjs has the global set-up`);
  return directory;
}

/** A new empty directory inside the run's, readable for all (a database server runs as another user). */
export function scratchDirectory(prefix: string): string {
  return mkdtempSync(path.join(runDirectory(), `${prefix}-`));
}

/** Where a program is; the places that `.ci/install` uses are searched beside PATH. */
export function findProgram(name: string): string | null {
  if (path.isAbsolute(name)) return isExecutable(name) ? name : null;
  const postgres = '/usr/lib/postgresql';
  const debian = pathsIn(postgres).map((version) => path.join(postgres, version, 'bin'));
  const extra = [
    process.env['GOBIN'] ?? path.join(os.homedir(), 'go', 'bin'),
    '/usr/sbin',
    '/usr/local/sbin',
    ...debian,
  ];
  for (const directory of [...(process.env['PATH'] ?? '').split(path.delimiter), ...extra]) {
    const candidate = path.join(directory, name);
    if (isExecutable(candidate)) return candidate;
  }
  return null;
}

export function needProgram(name: string): string {
  const found = findProgram(name);
  if (found === null) throw new Error(`${name} is not installed; "bash .ci/install" installs it on Debian`);
  return found;
}

/** Starts a process that the run's end will end, if the test does not. */
export function start(command: string, args: string[], options: SpawnOptions = {}): ChildProcess & { pid: number } {
  const child = spawn(command, args, options);
  if (child.pid === undefined) {
    child.on('error', () => undefined);
    throw new Error(`cannot start ${command}`);
  }
  writeFileSync(path.join(runDirectory(), 'processes', String(child.pid)), startTimeOf(child.pid));
  return child as ChildProcess & { pid: number };
}

/** Sends the signal and waits for the end; SIGKILL, and an error, after `graceMs`. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM', graceMs = 30_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const isLate = await Promise.race([exited.then(() => false), sleep(graceMs, true, { ref: false })]);
  if (!isLate) return;
  child.kill('SIGKILL');
  await exited;
  throw new Error(`${child.spawnargs.join(' ')} did not end within ${graceMs} ms of ${signal}`);
}

const cleanups: (() => Promise<void>)[] = [];

/** Runs when the spec file ends, also when a test threw; last registered, first run. */
export function onFileEnd(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

// This module is loaded by each spec file for itself, so the hook is that file's own.
afterAll(async () => {
  const errors: unknown[] = [];
  for (const cleanup of cleanups.reverse()) await cleanup().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
}, 120_000);

/** From 10000, and also with 10000 more, below the ports that the kernel gives to whoever asks for any (from 32768). */
const PORTS = [10_000, 22_768] as const;

/**
 * A port on 127.0.0.1 that nothing listens on, and that no other test on this machine is given before the spec file
 * ends, whether its server runs or not. With `distance`, the port so much higher is kept as well.
 */
export async function freePort(distance = 0): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    const all = [...new Set([port, port + distance])];
    if ((await Promise.all(all.map(keepPort))).every(Boolean)) return port;
  }
}

/** False when another test has it, or something listens there. */
async function keepPort(port: number): Promise<boolean> {
  const claim = net.createServer().unref();
  if (!(await listens(claim, { path: claimTo(port) }))) return false;
  // Its server is started later, so by then it has ended, or is one of the run's, which listens.
  onFileEnd(() => closed(claim));
  const trial = net.createServer();
  const isFree = await listens(trial, { port, host: '127.0.0.1' });
  if (isFree) await closed(trial);
  return isFree;
}

/** What one process on the machine can listen on. Linux gives an abstract name back when that ends, however it ends. */
function claimTo(port: number): string {
  const name = `aerugo-test-port-${port}`;
  return process.platform === 'linux' ? `\0${name}` : path.join(runDirectory(), name);
}

/** False when something else does already. */
async function listens(server: net.Server, address: net.ListenOptions): Promise<boolean> {
  try {
    await once(server.listen(address), 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return false;
  }
}

async function closed(server: net.Server): Promise<void> {
  await once(server.close(), 'close');
}

/** Waits until the condition holds; an error that names it after `timeoutMs`. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
  everyMs = 20,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(everyMs);
  }
}

/** Waits until a server that was just started answers; when it ends instead, or is late, the error has its log. */
export async function ready(
  child: ChildProcess,
  log: string,
  answers: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const complain = (what: string) =>
    new Error(`${child.spawnfile} ${what}\n${readFileSync(log, 'utf8').slice(-4_000)}`);
  await eventually(child.spawnfile, async () => hasEnded() || (await answers()), timeoutMs).catch(() => {
    throw complain(`did not answer in ${timeoutMs} ms`);
  });
  if (hasEnded()) throw complain('ended at its start');
}

/** True when something accepts TCP connections there. */
export async function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = net.connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; with a code other than 0 it throws, with both outputs, unless `anyCode`. */
export async function run(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number; input?: string; anyCode?: boolean } = {},
): Promise<Finished> {
  const { timeoutMs = 120_000, input, anyCode = false, ...rest } = options;
  return new Promise((resolve, reject) => {
    const settings = { ...rest, timeout: timeoutMs, maxBuffer: 64 << 20 };
    const child = execFile(needProgram(program), args, settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      if (code === 0 || (anyCode && code > 0)) {
        resolve({ code, stdout, stderr });
        return;
      }
      reject(new Error(`${program} ${args.join(' ')}\nended with ${error?.signal ?? code}\n${stdout}\n${stderr}`));
    });
    // A program need not read its input to the end.
    child.stdin?.on('error', () => undefined).end(input ?? '');
  });
}

/** Resident memory in bytes, now and at its highest. */
export function residentMemory(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024;
  return { now: kilobytes('VmRSS'), peak: kilobytes('VmHWM') };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function pathsIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
