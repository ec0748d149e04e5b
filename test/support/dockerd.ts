import { openSync } from 'node:fs';
import path from 'node:path';
import { end, type Finished, needProgram, onFileEnd, ready, run, scratchDirectory, start } from './processes.js';

export interface Dockerd {
  /** For `DOCKER_HOST`. */
  host: string;
  /** The environment of the docker client, for a test that starts and ends it by itself. */
  env: NodeJS.ProcessEnv;
  /** Runs the docker client against this daemon, with a configuration directory of its own. */
  docker: (
    args: string[],
    options?: { anyCode?: boolean; cwd?: string; input?: string; timeoutMs?: number },
  ) => Promise<Finished>;
  stop: () => Promise<void>;
}

/**
 * A docker daemon of the spec file's own (root, Linux): no network set-up, images as plain directories, which work
 * everywhere and are copied for each layer; `auto` is the best that the machine can do. Registries on 127.0.0.1 are
 * plain HTTP to it. `docker run` needs `--network=host` or `none`.
 */
export async function startDockerd({ storage = 'vfs' }: { storage?: 'vfs' | 'auto' } = {}): Promise<Dockerd> {
  const home = scratchDirectory('dockerd');
  const socket = path.join(home, 'docker.sock');
  const at = (name: string) => path.join(home, name);
  const driver = storage === 'auto' ? [] : [`--storage-driver=${storage}`];
  const args = ['--iptables=false', '--bridge=none', ...driver, '-H', `unix://${socket}`];
  const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const log = openSync(at('log'), 'a');
  const child = start(needProgram('dockerd'), [...args, ...places], { cwd: home, stdio: ['ignore', log, log] });
  const stop = () => end(child, 'SIGTERM', 60_000);
  onFileEnd(stop);

  const host = `unix://${socket}`;
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_CONFIG: at('config'), DOCKER_BUILDKIT: '0' };
  const docker: Dockerd['docker'] = (given, options = {}) =>
    run('docker', given, { timeoutMs: 600_000, ...options, env });
  await ready(child, at('log'), async () => (await docker(['version'], { anyCode: true })).code === 0);
  return { host, env, docker, stop };
}
