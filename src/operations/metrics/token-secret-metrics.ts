import { Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { Latest } from './latest.js';

// Each node writes its row once a minute; the rows of a database that takes no writes say nothing any more.
const LIVE = `SELECT count(*)::int AS secrets FROM token_secrets WHERE seen_at >= now() - interval '150 seconds'`;

/** Whether the nodes accept each other's tokens. */
@Injectable()
export class TokenSecretMetrics {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  register(registry: Registry): void {
    const live = new Latest(() => this.unitOfWork.runStatement((tx) => tx.query<{ secrets: number }>(LIVE)));
    new Gauge({
      name: 'aerugo_token_secrets',
      help: 'Different values of JWT_SECRET among live nodes: 1 when they accept each other’s tokens.',
      aggregator: 'max',
      registers: [registry],
      async collect() {
        const secrets = (await live.get())?.[0]?.secrets;
        if (secrets === undefined) this.remove();
        else this.set(secrets);
      },
    });
  }
}
