import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Dockerd } from '../support/dockerd.js';
import { eventually, freePort, onFileEnd, scratchDirectory } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';
import { newSetting } from '../support/registry.js';

/** As strict as platforms are: nothing but /tmp can be written, nobody knows the user, and no right is left. */
const STRICT = [
  '--read-only',
  '--user=12345:0',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--network=host',
  '--health-interval=1s',
];

/** For a start with its migrations and the check after it, on a machine that does other things too. */
const START_MS = 100_000;

/** The registry in a container, with PostgreSQL, Redis and S3 outside. */
export class RegistryContainer {
  private constructor(
    private readonly dockerd: Dockerd,
    private readonly id: string,
    readonly url: string,
    readonly client: RegistryClient,
  ) {}

  static async start(dockerd: Dockerd, image: string): Promise<RegistryContainer> {
    const { env, username, password } = await newSetting({ store: 's3', redis: true });
    const address = `127.0.0.1:${await freePort()}`;
    const file = path.join(scratchDirectory('container'), 'env');
    const settings = { ...env, LISTEN_ADDRESS: address, DATA_DIR: '' };
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    chmodSync(file, 0o600);
    const { stdout } = await dockerd.docker(['run', '--detach', '--env-file', file, ...STRICT, image]);
    const client = new RegistryClient({ url: `http://${address}`, username, password });
    const container = new RegistryContainer(dockerd, stdout.trim(), `http://${address}`, client);
    onFileEnd(() => container.remove());
    return container;
  }

  /** Until the image's own HEALTHCHECK says so. */
  async healthy(): Promise<void> {
    await eventually(
      'the container is healthy',
      async () => (await this.look('{{.State.Health.Status}}')) === 'healthy',
      START_MS,
      200,
    );
  }

  async pid(): Promise<number> {
    return Number(await this.look('{{.State.Pid}}'));
  }

  /** SIGTERM, and the exit code; docker would send SIGKILL after `seconds`. */
  async stop(seconds: number): Promise<number> {
    await this.dockerd.docker(['stop', '--time', String(seconds), this.id]);
    return Number(await this.look('{{.State.ExitCode}}'));
  }

  async kill(): Promise<void> {
    await this.dockerd.docker(['kill', '--signal=KILL', this.id]);
  }

  /** The same container again, on its port. */
  async startAgain(): Promise<void> {
    await this.dockerd.docker(['start', this.id]);
  }

  async logs(): Promise<string> {
    const { stdout, stderr } = await this.dockerd.docker(['logs', this.id]);
    return stdout + stderr;
  }

  private async look(format: string): Promise<string> {
    return (await this.dockerd.docker(['inspect', '--format', format, this.id])).stdout.trim();
  }

  private async remove(): Promise<void> {
    this.client.close();
    await this.dockerd.docker(['rm', '--force', this.id]);
  }
}
