import type { ChildProcess } from 'node:child_process';
import {
  end,
  eventually,
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  scratchDirectory,
  start,
} from './processes.js';

export interface RedisServer {
  url: string;
  port: number;
  process: ChildProcess & { pid: number };
  stop: () => Promise<void>;
}

/** A Redis of the spec file's own, with nothing in it and nothing written to disk; ended with the file. */
export async function startRedis({ port }: { port?: number } = {}): Promise<RedisServer> {
  const chosen = port ?? (await freePort());
  const args = ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = start(needProgram('redis-server'), args, { cwd: scratchDirectory('redis'), stdio: 'ignore' });
  const stop = () => end(child);
  onFileEnd(stop);
  await eventually('redis-server', () => isListening(chosen));
  return { url: `redis://127.0.0.1:${chosen}`, port: chosen, process: child, stop };
}
