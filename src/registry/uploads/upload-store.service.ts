import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { withoutShare } from '../../fairness/current-share.js';
import { AppConfig } from '../../config/config.js';
import { StatementBatch } from '../../database/statement-batch.js';
import type { Digest } from '../../oci/digest.js';
import type { OpenUploadsCount } from './open-uploads/open-uploads.repository.js';
import { OpenUploads } from './open-uploads/open-uploads.service.js';
import { type DraftStatements, type InlineBytes, RecentInlineBytes, UploadDraft } from './inline-bytes.js';
import { FIRST_EPOCH } from './upload-epochs.js';
import { EMPTY_SECONDS } from './upload-heartbeat.service.js';
import {
  type ClosingClaim,
  type ClosingState,
  type NewUpload,
  type UploadKey,
  type UploadRow,
  UploadsRepository,
} from './uploads.repository.js';

/** Bytes that an upload's row keeps itself, and bodies that are read whole before anything is decided; bytes. */
export const INLINE_LIMIT = 64 * 1024;

/** Memory for drafts, with what each costs beside its bytes. Beyond it uploads begin with their row. */
const MAX_BYTES = 16 * 1024 * 1024;
const DRAFT_BYTES = 1024;
const AT_ONCE = 8;

interface Held {
  readonly draft: UploadDraft;
  readonly since: number;
  bytes: number;
  /** A closing request works with it, and writes it through itself when it does not succeed. */
  isBusy: boolean;
}

/**
 * Uploads as requests find them: rows, and where this process is the whole registry (embedded database) drafts in its
 * memory, which save a small blob two statements of four. A draft is written through before anything is done with it
 * that is not a short PATCH or the closing PUT, after a second, and when the node stops. What dies with the process is
 * then unknown to the client too (404): a row is written before the first byte goes to the store, and a 201 never
 * stands for a draft.
 */
@Injectable()
export class UploadStore implements BeforeApplicationShutdown {
  /** How long an upload stays a draft: a push that is going on closes its small blobs within milliseconds. */
  protected readonly draftMs: number = 1_000;
  private readonly logger = new Logger(UploadStore.name);
  private readonly recent = new RecentInlineBytes();
  private readonly drafts = new Map<string, Held>();
  /** Closing requests that work with bytes in memory, of which no row says so yet. */
  private readonly reserved = new Map<string, Promise<boolean>>();
  private readonly statements: DraftStatements;
  private readonly expirySeconds: number;
  private isDrafting: boolean;
  private held = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly uploads: UploadsRepository,
    private readonly limit: OpenUploads,
    { database, storage, server }: AppConfig,
  ) {
    // The next request of the upload may come to another worker.
    this.isDrafting = database.embedded && server.worker === null;
    this.expirySeconds = storage.uploadExpirySeconds;
    const inserts = new StatementBatch<NewUpload>((drafts) => uploads.startDrafts(drafts));
    this.statements = {
      insert: (row) => inserts.add(row),
      appendInline: (...values) => uploads.appendInline(...values),
    };
  }

  /** With its row, for the request that opens it. Throws `tooManyUploads`. */
  open(upload: NewUpload): Promise<void> {
    return this.limited(upload.principal, () => this.uploads.start(upload));
  }

  /** For requests to come; it has less time as long as it has no byte. Throws `tooManyUploads`. */
  start(upload: Omit<NewUpload, 'epoch' | 'durably' | 'expirySeconds'>): Promise<void> {
    const expirySeconds = Math.min(this.expirySeconds, EMPTY_SECONDS);
    return this.limited(upload.principal, () => this.begin({ ...upload, expirySeconds }));
  }

  private async begin(upload: Omit<NewUpload, 'epoch' | 'durably'>): Promise<void> {
    if (!this.isDrafting || this.held + DRAFT_BYTES > MAX_BYTES)
      return this.uploads.start({ ...upload, epoch: FIRST_EPOCH.unclaimed, durably: false });
    const draft = new UploadDraft(
      { ...upload, epoch: FIRST_EPOCH.reserved, durably: false },
      this.statements,
      INLINE_LIMIT,
    );
    this.drafts.set(upload.id, { draft, since: performance.now(), bytes: DRAFT_BYTES, isBusy: false });
    this.held += DRAFT_BYTES;
    this.timer ??= this.later();
  }

  /** Whether an upload into the repository is in the memory of this process alone; no row says so. */
  hasDraftIn(repoId: number): boolean {
    for (const { draft } of this.drafts.values()) if (draft.repoId === repoId) return true;
    return false;
  }

  async find(key: UploadKey): Promise<UploadRow | null> {
    return this.draftOf(key)?.draft.asRow() ?? this.uploads.find(key);
  }

  /** How far the upload is after a short body; `null` when it is not to be kept in the row, or not by this caller. */
  async appendInline(key: UploadKey, bytes: Buffer, offset: number | null): Promise<number | null> {
    const held = this.draftOf(key);
    const mayKeep = this.limit.mayKeep(key.principal, bytes.length, () => this.draftsBy(key.principal));
    if (mayKeep !== true && !(await mayKeep)) return null;
    if (held && this.held + bytes.length <= MAX_BYTES) {
      const received = held.draft.append(bytes, offset);
      if (received !== null) {
        held.bytes += bytes.length;
        this.held += bytes.length;
        return received;
      }
    }
    await this.writeThrough(held);
    const options = { offset, limit: INLINE_LIMIT, expirySeconds: this.expirySeconds };
    const now = await this.uploads.appendInline(key, bytes, options);
    if (now) this.recent.keep(key, bytes, now);
    return now?.received ?? null;
  }

  /**
   * Reserves the bytes that this node has in memory for a closing request, which makes one object of them under the epoch
   * before the one that is given, and commits it. False, and the row says everything, when there are none or `use` did not succeed.
   */
  async reserve(key: UploadKey, use: (inline: InlineBytes) => Promise<boolean>): Promise<boolean> {
    // Another closing request of this process has the bytes: what it makes of them is for all.
    for (let other = this.reserved.get(key.id); other; other = this.reserved.get(key.id))
      await other.catch(() => false);
    const held = this.draftOf(key);
    const recent = held ? null : this.recent.take(key);
    const using = held ? this.reserveDraft(held, use) : recent && use(recent);
    if (!using) return false;
    this.reserved.set(key.id, using);
    try {
      return await using;
    } finally {
      this.reserved.delete(key.id);
    }
  }

  /** See `UploadsRepository.claim`. */
  async claim(key: UploadKey, offset: number | null, durably: boolean): Promise<UploadRow | null> {
    await this.writeThrough(this.draftOf(key));
    return this.uploads.claim(key, { offset, durably, expirySeconds: this.expirySeconds });
  }

  /** See `UploadsRepository.claimToClose`. */
  async claimToClose(key: UploadKey, claim: Omit<ClosingClaim, 'expirySeconds'>): Promise<UploadRow | null> {
    await this.writeThrough(this.draftOf(key));
    return this.uploads.claimToClose(key, { ...claim, expirySeconds: this.expirySeconds });
  }

  takeOver(key: UploadKey, digest: Digest): Promise<UploadRow | null> {
    return this.uploads.takeOver(key, digest); // a draft is not being closed
  }

  findClosing(key: UploadKey): Promise<ClosingState | null> {
    return this.uploads.findClosing(key); // asked after a claim, so there is no draft any more
  }

  stayClosing(id: string, epoch: number, seconds?: number): Promise<void> {
    return this.uploads.stayClosing(id, epoch, seconds);
  }

  /** See `UploadsRepository.terminate`. */
  async terminate(id: string, epoch: number | null, evenClosing: boolean): Promise<UploadRow | null> {
    if (!evenClosing) await this.reserved.get(id)?.catch(() => false);
    await this.writeThrough(this.drafts.get(id));
    return this.uploads.terminate(id, epoch, evenClosing);
  }

  remove(id: string, epoch: number): Promise<void> {
    return this.uploads.remove(id, epoch);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isDrafting = false;
    if (this.timer) clearTimeout(this.timer);
    await this.writeAllThrough([...this.drafts.values()]);
  }

  private async reserveDraft(held: Held, use: (inline: InlineBytes) => Promise<boolean>): Promise<boolean> {
    const isUsed = held.draft.reserve() && (await this.used(held, use));
    if (isUsed) this.forget(held);
    else await this.writeThrough(held);
    return isUsed;
  }

  /** Whatever becomes of the request, what was acknowledged before it stands. */
  private async used(held: Held, use: (inline: InlineBytes) => Promise<boolean>): Promise<boolean> {
    held.isBusy = true;
    try {
      await held.draft.nameIt();
      return await use({ bytes: held.draft.bytes, epoch: FIRST_EPOCH.reserved });
    } catch (error) {
      await this.tryToWriteThrough(held);
      throw error;
    } finally {
      held.isBusy = false;
    }
  }

  private limited(principal: string, write: () => Promise<void>): Promise<void> {
    return this.limit.begin(principal, () => this.draftsBy(principal), write);
  }

  private draftsBy(principal: string): OpenUploadsCount {
    const count = { uploads: 0, bytes: 0 };
    for (const { draft } of this.drafts.values()) {
      if (draft.principal !== principal) continue;
      count.uploads += 1;
      count.bytes += draft.bytes.length;
    }
    return count;
  }

  private draftOf(key: UploadKey): Held | undefined {
    const held = this.drafts.get(key.id);
    return held?.draft.belongsTo(key) === true ? held : undefined;
  }

  private async writeThrough(held: Held | undefined): Promise<void> {
    if (!held) return;
    await held.draft.writeThrough();
    this.forget(held);
  }

  private forget(held: Held): void {
    if (this.drafts.delete(held.draft.id)) this.held -= held.bytes;
  }

  private later(): NodeJS.Timeout {
    return withoutShare(() => setTimeout(() => void this.writeOldThrough(), this.draftMs).unref());
  }

  private async writeOldThrough(): Promise<void> {
    const before = performance.now() - this.draftMs;
    const old = [...this.drafts.values()].filter(({ since, isBusy }) => since <= before && !isBusy);
    await this.writeAllThrough(old);
    this.timer = this.drafts.size > 0 && this.isDrafting ? this.later() : null;
  }

  private async writeAllThrough(all: readonly Held[]): Promise<void> {
    for (let from = 0; from < all.length; from += AT_ONCE)
      await Promise.all(all.slice(from, from + AT_ONCE).map((held) => this.tryToWriteThrough(held)));
  }

  /** What cannot be written stays in memory for the next attempt, as long as an upload lives. */
  private async tryToWriteThrough(held: Held): Promise<void> {
    try {
      await this.writeThrough(held);
    } catch (error) {
      this.logger.warn({ upload: held.draft.id, error: String(error), message: 'an upload is only in memory still' });
      if (performance.now() - held.since > this.expirySeconds * 1000) this.forget(held);
    }
  }
}
