import { Injectable, Logger } from '@nestjs/common';
import { BlobDamage } from '../../registry/blobs/damage/blob-damage.service.js';
import { StoreOwner } from '../../registry/blobs/damage/store-owner.service.js';
import { type BlobObject, type DamageKind, StoredBlobs } from '../../registry/blobs/stored-blobs.js';
import { INTEGRITY_UNCHECKED } from './integrity-counts.js';
import { OciError } from '../../oci/oci-error.js';
import { StorageError } from '../../storage/storage-errors.js';
import { BlobChecker, type Verdict } from './blob-checker.js';
import { type HeldRun, IntegrityRunsRepository, LEASE_SECONDS, type Progress } from './integrity-runs.repository.js';
import { type Outcome, WalkProgress, type Watcher } from './walk-progress.js';

/** Rows that are asked for at once. */
const PAGE = 500;
/** The lease lasts three of them. */
const SAVE_MS = (LEASE_SECONDS * 1_000) / 3;
/** After so many in a row the store is away, and each further blob would only take its time. */
const FAILURES_IN_A_ROW = 20;

/** The store is not this database's, or does not answer: the run can go on where it is, once that is mended. */
export class StoreNotUsable extends Error {
  override readonly name = 'StoreNotUsable';

  constructor(
    readonly isForeign: boolean,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The run was cancelled, or another process has its lease. */
export class RunLost extends Error {
  override readonly name = 'RunLost';
}

/**
 * One run: every blob up to the last one that there was at its beginning, in the order of their ids. Nothing is held
 * while the store works; how far it is goes to the run's row every few seconds.
 */
@Injectable()
export class IntegrityWalk {
  private readonly logger = new Logger(IntegrityWalk.name);

  constructor(
    private readonly runs: IntegrityRunsRepository,
    private readonly blobs: StoredBlobs,
    private readonly checker: BlobChecker,
    private readonly damage: BlobDamage,
    private readonly owner: StoreOwner,
  ) {}

  /**
   * To the end of the run, whose row is then `done`. When it throws, the row has what was done and the caller decides
   * what becomes of it: the signal's reason, `StoreNotUsable`, `RunLost`, or an error of the database.
   */
  async run(run: HeldRun, signal: AbortSignal, watcher?: Watcher): Promise<Progress> {
    const lost = new AbortController();
    const walk = new WalkProgress(run, AbortSignal.any([signal, lost.signal]), watcher);
    const timer = setInterval(() => void this.save(walk, lost), SAVE_MS);
    try {
      await this.requireOwner();
      await this.walk(walk);
    } catch (error) {
      await this.runs.save(run, walk.now()).catch(() => false); // or the last save counts
      throw error;
    } finally {
      clearInterval(timer);
    }
    if (!(await this.runs.save(run, walk.now()))) throw new RunLost(LOST);
    await this.runs.finish(run, 'done', null);
    return walk.now();
  }

  private async walk(walk: WalkProgress): Promise<void> {
    for (;;) {
      const page = await this.blobs.page(walk.position, walk.run.upTo, PAGE);
      if (page.length === 0) return;
      for (const group of walk.groupsOf(page)) {
        walk.look.signal.throwIfAborted();
        const verdicts = await Promise.all(group.map((blob) => this.checker.check(blob, walk.look)));
        const outcomes: Outcome[] = [];
        for (const [at, verdict] of verdicts.entries())
          outcomes.push(await this.judge(walk, group[at] as BlobObject, verdict));
        walk.passed(group, outcomes);
      }
    }
  }

  private async judge(walk: WalkProgress, blob: BlobObject, verdict: Verdict): Promise<Outcome> {
    if (verdict.kind === 'unchecked') return this.unchecked(walk, blob, verdict.reason);
    walk.failures = 0;
    return verdict.kind === 'whole' ? this.whole(walk, blob) : this.mark(walk, blob, verdict.damage);
  }

  private async whole({ run }: WalkProgress, blob: BlobObject): Promise<Outcome> {
    if (blob.damage === null) return 'whole';
    // Wrong bytes have the right size too.
    if (blob.damage === 'bytes' && !run.hash) return 'damaged';
    return (await this.damage.clear(blob, blob.damage)) ? 'healed' : 'whole';
  }

  private async mark(walk: WalkProgress, blob: BlobObject, damage: DamageKind): Promise<Outcome> {
    // A blob that is marked for its size may have its size again, with other bytes.
    const isKnown = blob.damage === damage || (blob.damage !== null && damage !== 'bytes');
    if (isKnown) return 'damaged';
    try {
      // `gone`: it was deleted or pushed again meanwhile, and this says nothing of the object that it has now.
      return (await this.damage.mark(blob, damage, walk.run.kind)) === 'gone' ? 'whole' : 'damaged';
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      if (error.cause instanceof StorageError) return this.unchecked(walk, blob, String(error.cause));
      throw foreign(error);
    }
  }

  private async unchecked(walk: WalkProgress, blob: BlobObject, reason: string): Promise<Outcome> {
    walk.failures += 1;
    if (walk.failures >= FAILURES_IN_A_ROW) {
      await this.requireOwner();
      throw new StoreNotUsable(false, `the store does not answer: ${reason}`);
    }
    INTEGRITY_UNCHECKED.add(walk.run.kind);
    walk.watcher?.unchecked(blob, reason);
    const { digest, storageKey } = blob;
    this.logger.warn({ event: 'blob-unchecked', run: walk.run.kind, digest, storageKey, reason, message: UNCHECKED });
    return 'unchecked';
  }

  private async requireOwner(): Promise<void> {
    try {
      await this.owner.require();
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      if (!(error.cause instanceof StorageError)) throw foreign(error);
      throw new StoreNotUsable(false, `the store does not answer: ${error.cause.message}`, { cause: error });
    }
  }

  private async save(walk: WalkProgress, lost: AbortController): Promise<void> {
    try {
      walk.tell();
      if (!(await this.runs.save(walk.run, walk.now()))) lost.abort(new RunLost(LOST));
    } catch (error) {
      this.logger.warn({ error: String(error), message: 'how far a check of the blobs is could not be written' });
    }
  }
}

const UNCHECKED = 'a blob could not be checked';
const LOST = 'the check was cancelled, or another process goes on with it';

function foreign(error: OciError): StoreNotUsable {
  return new StoreNotUsable(true, FOREIGN, { cause: error });
}

const FOREIGN =
  'the store does not have the aerugo-installation of this database: is the volume mounted, is it the right bucket? ' +
  'Nothing was marked; see "Which database a bucket belongs to" in docs/storage.md';
