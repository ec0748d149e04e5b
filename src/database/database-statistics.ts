import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { listenersOf } from './data-source-options.js';

/** Of this process; `waiting` are those who wait for a connection. */
export interface PoolState {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
  readonly max: number;
}

/** What the driver keeps of its pool. */
interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly waitingForShare: number;
  readonly options: { readonly max: number };
}

/** What there is to see of the work of the database. */
@Injectable()
export class DatabaseStatistics {
  constructor(private readonly dataSource: DataSource) {}

  pool(): PoolState {
    const { master } = this.dataSource.driver as unknown as { master: Pool };
    const { totalCount: total, idleCount: idle, waitingCount, waitingForShare, options } = master;
    return { total, idle, waiting: waitingCount + waitingForShare, max: options.max };
  }

  /** Is told how long each statement took, in seconds. One listener; the last one counts. */
  onStatement(listener: (seconds: number) => void): void {
    listenersOf(this.dataSource.options).worked = listener;
  }

  /** Is told of each write that was refused for every writer: the server is read-only, or full. As above, one listener. */
  onWriteRefused(listener: (state: string) => void): void {
    listenersOf(this.dataSource.options).refused = listener;
  }
}
