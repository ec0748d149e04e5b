import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { StartupError } from '../config/startup-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ApiError } from '../http/errors/api-error.js';
import { PeriodicTask } from '../periodic/periodic-task.js';
import { PROGRAM_VERSION } from '../config/program-version.js';
import { NODE_LEVEL } from './node-level.js';
import type { Node } from './node.entity.js';
import { type Announcement, type Levels, NodesRepository } from './nodes.repository.js';

/** A node that lives says so several times before others take it for dead (`LIVE_SECONDS`). */
const HEARTBEAT_MS = 10_000;

/**
 * Announces this process as a node, and knows which rules all nodes obey. A node that is too old for the registry does
 * not start. The level rises by itself when every live node has the next one; from 0, whose nodes announce nothing, only
 * `aerugo migrate --finish` raises it.
 */
@Injectable()
export class UpgradeState implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Upgrades');
  private readonly self: Announcement;
  private readonly heartbeat = new PeriodicTask({
    name: 'node-heartbeat',
    pauseMs: HEARTBEAT_MS,
    jitter: 0.2,
    failure: 'other nodes may take this one for dead',
    run: () => this.beat(),
  });
  private known = 0;
  /** The process that a signal stops the node by. */
  private readonly primary: number;

  constructor(
    private readonly nodes: NodesRepository,
    private readonly unitOfWork: UnitOfWork,
    { server: { worker } }: AppConfig,
  ) {
    const name = worker === null ? hostname() : `${hostname()}/${worker.id}`;
    this.primary = worker === null ? process.pid : process.ppid;
    this.self = { id: randomUUID(), name, version: PROGRAM_VERSION, level: NODE_LEVEL };
  }

  /** Of the registry, as of the last heartbeat: it is never higher than it really is. */
  get level(): number {
    return this.known;
  }

  get isFinished(): boolean {
    return this.known >= NODE_LEVEL;
  }

  /** Throws `StartupError`: nothing of this node may be served before. */
  async onModuleInit(): Promise<void> {
    const level = await this.unitOfWork.run((tx) => this.nodes.announce(tx, this.self));
    if (level > NODE_LEVEL) {
      await this.nodes.leave(this.self.id);
      throw new StartupError(tooOld(level));
    }
    this.known = level;
    await this.beat(); // the first node of a new version in a new registry need not wait
    this.heartbeat.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.heartbeat.stop();
    // Best effort: it is forgotten a minute later.
    await this.nodes.leave(this.self.id).catch(() => undefined);
  }

  /** Throws 409 `UPGRADE_UNFINISHED` while a live node may have a lower level. */
  require(level: number): void {
    if (this.known < level) {
      throw new ApiError('upgradeUnfinished', `it needs level ${level}, and the registry has ${this.known}`);
    }
  }

  /** What `aerugo migrate --finish` does: the operator knows that no node of 0.1 runs any more. */
  finish(): Promise<Levels> {
    return this.unitOfWork.run((tx) => this.nodes.raise(tx, NODE_LEVEL));
  }

  /** Those that were seen within a minute. */
  live(): Promise<Node[]> {
    return this.nodes.live();
  }

  private async beat(): Promise<void> {
    const seen = await this.nodes.beat(this.self);
    this.learn(isDue(seen) ? await this.unitOfWork.run((tx) => this.nodes.raise(tx, Number(seen.lowest))) : seen);
  }

  private learn({ level }: Levels): void {
    if (level > NODE_LEVEL) this.end(level);
    if (level > this.known) this.logger.log({ event: 'upgrade.level', level, message: 'all nodes have the new rules' });
    this.known = Math.max(level, this.known);
  }

  /** Others have taken this node for dead, and gone on with rules that it would break. */
  private end(level: number): void {
    this.logger.error({ event: 'node.too_old', message: tooOld(level) });
    process.kill(this.primary, 'SIGTERM');
  }
}

/** Whether all live nodes have a higher level than the registry. From 0 it takes an operator. */
function isDue({ level, lowest }: Levels): boolean {
  return level > 0 && lowest !== null && lowest > level;
}

function tooOld(level: number): string {
  return (
    `the registry has level ${level}, and this version only ${NODE_LEVEL}: run the version that the other nodes run, or ` +
    'restore the backup that was made before the update'
  );
}
