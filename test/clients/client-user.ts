import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Finished, onFileEnd, run, scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import type { Registry } from '../support/registry.js';

interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  anyCode?: boolean;
}

/**
 * An ordinary user of the registry, and a home directory in which the clients keep their logins: no program of a test
 * reads or writes the tester's own `~/.docker` or `~/.config`.
 */
export class ClientUser {
  readonly home: string;

  private constructor(
    /** `127.0.0.1:PORT`, as it stands before an image's name. Every client speaks plain HTTP to it when told so. */
    readonly host: string,
    readonly username: string,
    readonly password: string,
    /** For what a test checks by itself. */
    readonly client: RegistryClient,
  ) {
    this.home = scratchDirectory(`home-${username}`);
    mkdirSync(this.file('run'), { mode: 0o700 });
    mkdirSync(this.file('tmp'));
    chmodSync(this.home, 0o700);
  }

  static async signUp(registry: Pick<Registry, 'url' | 'client'>, username: string): Promise<ClientUser> {
    const password = randomBytes(12).toString('hex');
    await registry.client.api('POST', '/api/v1/users', { username, password }).expect(201);
    const client = registry.client.as(username, password);
    onFileEnd(() => {
      client.close();
      return Promise.resolve();
    });
    return new ClientUser(new URL(registry.url).host, username, password, client);
  }

  /** A reference with the host: `app:v1` is `127.0.0.1:PORT/alice/app:v1`. */
  ref(name: string): string {
    return `${this.host}/${this.username}/${name}`;
  }

  file(name: string): string {
    return path.join(this.home, name);
  }

  write(name: string, content: string | Buffer): string {
    const file = this.file(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  run(program: string, args: string[], { env = {}, cwd = this.home, ...options }: RunOptions = {}): Promise<Finished> {
    return run(program, args, { timeoutMs: 180_000, ...options, cwd, env: { ...this.env(), ...env } });
  }

  /** The lines that the program writes. */
  async lines(program: string, args: string[], options: RunOptions = {}): Promise<string[]> {
    const { stdout } = await this.run(program, args, options);
    return stdout.split('\n').filter((line) => line !== '');
  }

  private env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      LANG: 'C.UTF-8',
      HOME: this.home,
      TMPDIR: this.file('tmp'),
      DOCKER_CONFIG: this.file('docker'),
      REGISTRY_AUTH_FILE: this.file('auth.json'),
      REGCTL_CONFIG: this.file('regctl.json'),
      XDG_RUNTIME_DIR: this.file('run'),
      XDG_CONFIG_HOME: this.file('config'),
      XDG_CACHE_HOME: this.file('cache'),
      XDG_DATA_HOME: this.file('data'),
    };
  }
}
