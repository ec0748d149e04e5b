import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { RateLimiterClusterMaster } from 'rate-limiter-flexible';
import { DropRounds, type Member } from '../cache/drop-rounds.js';
import type { AppConfig } from '../config/config.js';
import { StartupError } from '../config/startup-error.js';
import type { FirstAdministrator } from './first-administrator.js';
import type { CertificateWatch } from './tls/certificate-watch.js';
import { HintLimit, hintText, type ProxyHint } from '../http/connections/proxy-hints.js';
import { forwardLines } from './logging/log-output.js';
import type { NodeMetrics } from '../operations/metrics/node-metrics.js';
import { isOwnMessage, type MessageToPrimary, type MessageToWorker } from './worker-messages.js';

/** Between the end of a worker and the start of its successor; doubled each time it ends soon. Milliseconds. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that ran this long did not fail at start-up. */
const SOUND_MS = 10_000;
/** Consecutive failed starts, while no worker listens, after which the node gives up. */
const MAX_FAILED_STARTS = 5;
/** For a worker to close what it has, after its requests have had their time. */
const CLOSE_MS = 10_000;

/** One of the places that the pool keeps filled. */
interface Place {
  readonly id: number;
  worker: Worker | null;
  isListening: boolean;
  startedAt: number;
  pauseMs: number;
  timer: NodeJS.Timeout | null;
}

/**
 * The workers of this node. The first prepares the database for all and listens; then the others do. One that ends is
 * replaced; where none can be started, the pool fails.
 */
export class WorkerPool {
  private readonly places: readonly Place[];
  private readonly rounds = new DropRounds();
  private readonly hints = new HintLimit();
  private readonly prepared = Promise.withResolvers<FirstAdministrator>();
  private readonly complete = Promise.withResolvers<undefined>();
  private readonly failing = Promise.withResolvers<Error>();
  private isComplete = false;
  private isAnnounced = false;
  private isStopping = false;
  private failedStarts = 0;

  /** Resolves when no worker can be started any more. */
  readonly failed = this.failing.promise;

  constructor(
    private readonly config: AppConfig,
    private readonly port: number,
    private readonly log: Logger,
    private readonly metrics: NodeMetrics | null,
    private readonly certificates: CertificateWatch | null,
  ) {
    const place = { worker: null, isListening: false, startedAt: 0, pauseMs: FIRST_PAUSE_MS, timer: null };
    this.places = Array.from({ length: config.server.workers }, (_, index) => ({ ...place, id: index + 1 }));
    for (const { promise } of [this.prepared, this.complete]) promise.catch(() => undefined);
  }

  /** Resolves when all listen, with what the first has made. Throws `StartupError`. */
  async start(stop: AbortSignal): Promise<FirstAdministrator> {
    stop.addEventListener('abort', () => {
      if (!this.isComplete) this.fail(new StartupError('it was told to stop before it had started'));
    });
    new RateLimiterClusterMaster(); // counts for the workers' limiters, by their messages
    // The workers accept by themselves, from one queue: no connection costs the primary anything, and none waits for a
    // worker that stands still. See docs/design/workers.md for the figures.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      // A file of variables has been read, and may be gone when a worker is started again.
      execArgv: process.execArgv.filter((flag) => !flag.startsWith('--env-file')),
      // Lines of one process are whole only where one process writes them.
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    for (const place of this.places) this.fill(place);
    this.certificates?.follow((pair) => {
      this.tellAll({ kind: 'certificate', pair });
    });
    await this.complete.promise;
    return this.prepared.promise;
  }

  /** Every worker serves on and is not ready any more, also one that takes the place of another from now on. */
  announceStop(): void {
    this.isAnnounced = true;
    this.tellAll({ kind: 'leaving' });
  }

  /** Resolves when all have ended, those that do not by themselves by force. */
  async stop(graceSeconds: number, hurry: AbortSignal): Promise<void> {
    this.isStopping = true;
    for (const place of this.places) if (place.timer) clearTimeout(place.timer);
    const all = Promise.all(this.workers().map(gone));
    this.tellAll({ kind: 'stop', graceSeconds });
    const hasHurried = Promise.withResolvers<undefined>();
    const pass = (): void => {
      this.tellAll({ kind: 'hurry' });
      hasHurried.resolve(undefined);
    };
    if (hurry.aborted) pass();
    hurry.addEventListener('abort', pass);
    const grace = Promise.race([hasHurried.promise, sleep(graceSeconds * 1000, undefined, { ref: false })]);
    await Promise.race([all, grace.then(() => sleep(CLOSE_MS, undefined, { ref: false }))]);
    for (const worker of this.workers()) worker.process.kill('SIGKILL');
    await all;
  }

  private workers(): Worker[] {
    return this.places.flatMap(({ worker }) => worker ?? []);
  }

  private tellAll(message: MessageToWorker): void {
    for (const worker of this.workers()) tell(worker, message);
  }

  private fill(place: Place): void {
    const worker = cluster.fork();
    Object.assign(place, { worker, isListening: false, startedAt: performance.now(), timer: null });
    const { stdout } = worker.process;
    if (stdout) forwardLines(stdout);
    worker.on('error', () => undefined); // a message came too late for it; its end is told by itself
    const member = this.memberOf(place, worker);
    let reason: string | null = null;
    worker.on('message', (message: unknown) => {
      // Messages may still be read when their sender is gone.
      if (place.worker !== worker || !isOwnMessage(message)) return;
      const own = message as MessageToPrimary;
      if (own.kind === 'failed') reason = own.reason;
      else this.receive(place, worker, member, own);
    });
    worker.once('exit', (code: number | null, signal: string | null) => {
      this.ended(place, reason ?? `it ended with ${signal ?? `code ${code ?? '?'}`}`);
      this.rounds.leave(worker.id);
      this.metrics?.leave(worker.id);
    });
  }

  private memberOf({ id }: Place, worker: Worker): Member {
    return {
      id: worker.id,
      send: (message) => {
        tell(worker, message);
      },
      kill: () => {
        this.log.error({ event: 'worker.frozen', worker: id }, 'a worker does not answer and is ended');
        worker.process.kill('SIGKILL');
      },
    };
  }

  private receive(
    place: Place,
    worker: Worker,
    member: Member,
    message: Exclude<MessageToPrimary, { kind: 'failed' }>,
  ): void {
    if (message.kind === 'hello') void this.begin(place, worker);
    else if (message.kind === 'listening') this.joinStart(place, worker, message.administrator);
    else if (message.kind === 'hint') this.passOn(message.hint);
    else if (message.kind === 'metrics.answer') this.metrics?.receive(worker.id, message);
    else this.rounds.receive(member, message);
  }

  private passOn(hint: ProxyHint): void {
    if (this.hints.passes(hint)) this.log.warn(hintText(hint));
  }

  private async begin(place: Place, worker: Worker): Promise<void> {
    const isFirst = place.id === 1 && !this.isComplete;
    // A failed start begins no further worker.
    if (!isFirst) await this.prepared.promise.catch(() => undefined);
    if (!this.isStopping)
      tell(worker, {
        kind: 'start',
        config: this.config.ofWorker({ id: place.id, isFirst }, this.port),
        certificate: this.certificates?.current ?? null,
        isLeaving: this.isAnnounced,
      });
  }

  private joinStart(place: Place, worker: Worker, administrator: FirstAdministrator): void {
    place.isListening = true;
    this.metrics?.join(worker.id, (message) => {
      tell(worker, message);
    });
    this.failedStarts = 0;
    if (this.isComplete) this.log.info({ event: 'worker.listening', worker: place.id }, 'a worker has been replaced');
    this.prepared.resolve(administrator); // the first one's counts: the others wait for it
    if (!this.places.every(({ isListening }) => isListening)) return;
    this.isComplete = true;
    this.complete.resolve(undefined);
  }

  private ended(place: Place, reason: string): void {
    Object.assign(place, { worker: null, isListening: false });
    if (this.isStopping) return;
    if (!this.isComplete) {
      this.fail(new StartupError(`worker ${place.id} cannot start: ${reason}`));
      return;
    }
    const lived = performance.now() - place.startedAt;
    place.pauseMs = lived > SOUND_MS ? FIRST_PAUSE_MS : Math.min(place.pauseMs * 2, LONGEST_PAUSE_MS);
    this.log.error({ event: 'worker.ended', worker: place.id, reason }, 'a worker has ended; another takes its place');
    this.failedStarts += 1;
    if (this.failedStarts >= MAX_FAILED_STARTS && !this.places.some(({ isListening }) => isListening)) {
      this.fail(new Error(`no worker can be started: ${reason}`));
      return;
    }
    place.timer = setTimeout(() => {
      this.fill(place);
    }, place.pauseMs);
  }

  private fail(error: Error): void {
    this.prepared.reject(error);
    this.complete.reject(error);
    this.failing.resolve(error);
  }
}

function tell(worker: Worker, message: MessageToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}

function gone(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    if (worker.isDead()) resolve();
    else
      worker.once('exit', () => {
        resolve();
      });
  });
}
