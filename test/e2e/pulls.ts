import type { RegistryClient } from '../support/registry-client.js';

type State = 'granted' | 'changing' | 'revoked';

/** Pulls without a pause, and what each had to be told: by the state at its start, if it was still so at its end. */
export class Pulls {
  allowed = 0;
  refused = 0;
  readonly wrong: string[] = [];
  private state: State = 'revoked';
  private changes = 0;
  private isStopped = false;

  constructor(
    private readonly path: string,
    private readonly clients: readonly RegistryClient[],
    private readonly headers: Record<string, string>,
  ) {}

  granted(): void {
    this.enter('granted');
  }

  /** From here until it is acknowledged both answers are right. */
  changing(): void {
    this.enter('changing');
  }

  revoked(): void {
    this.enter('revoked');
  }

  stop(): void {
    this.isStopped = true;
  }

  async run(): Promise<void> {
    await Promise.all(this.clients.map((client) => this.pullOn(client)));
  }

  private enter(state: State): void {
    this.state = state;
    this.changes++;
  }

  private async pullOn(client: RegistryClient): Promise<void> {
    while (!this.isStopped) {
      const { state, changes } = this;
      const { status } = await client.raw('GET', this.path, { headers: this.headers });
      this.judge(status, state, changes === this.changes);
    }
  }

  private judge(status: number, begun: State, isSame: boolean): void {
    if (status === 200) this.allowed++;
    else if (status === 404) this.refused++;
    else this.wrong.push(`${status}`);
    if (begun === 'granted' && isSame && status !== 200) this.wrong.push('refused while granted');
    if (begun === 'revoked' && isSame && status === 200) this.wrong.push('allowed after the revoke was acknowledged');
  }
}
