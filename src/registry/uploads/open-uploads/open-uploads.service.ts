import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../../config/config.js';
import { OVER_LIMIT } from '../../../http/limit-counts.js';
import { OciError } from '../../../oci/oci-error.js';
import { type OpenUploadsCount, OpenUploadsRepository } from './open-uploads.repository.js';

/** Bytes that rows of one principal's open uploads hold; beyond it short bodies go to the store like long ones. */
const MAX_INLINE_BYTES = 8 * 1024 * 1024;

/** A process counts again after this part of what is left: n processes let at most n tenths too many pass. */
const PART = 10;
const MAX_PRINCIPALS = 50_000;
/** One that was refused is not counted again for every attempt. */
const REFUSED_MS = 1_000;
const RETRY_SECONDS = 60;

/** What a principal has open that is no row yet, for longer than a moment. */
export type Unwritten = () => OpenUploadsCount;

/** What a principal may do before its rows are counted again. */
interface Credit {
  uploads: number;
  bytes: number;
  /** Uploads that are being written, and may not be among the rows yet. */
  pending: number;
  /** `performance.now()`. */
  refusedUntil: number;
  counting: Promise<void> | null;
}

/**
 * Limits what one principal leaves open: rows, and bytes in them. Rows are counted once for many uploads, so that a
 * common one costs no statement more.
 */
@Injectable()
export class OpenUploads {
  private readonly known = new LRUCache<string, Credit>({ max: MAX_PRINCIPALS });
  private readonly most: number;

  constructor(
    private readonly uploads: OpenUploadsRepository,
    { storage }: AppConfig,
  ) {
    this.most = storage.maxOpenUploads;
  }

  /**
   * Begins an upload: `write` makes its row, or what will be one. Throws `tooManyUploads`.
   */
  async begin<T>(principal: string, unwritten: Unwritten, write: () => Promise<T>): Promise<T> {
    if (this.most === 0) return write();
    const credit = this.creditOf(principal);
    // Others may wait for the same count and be faster, or are still writing what may be the last ones.
    while (!this.hasTaken(credit)) await this.count(principal, credit, unwritten);
    try {
      return await write();
    } finally {
      credit.pending -= 1;
    }
  }

  /** Whether so many bytes may be kept in an upload's row. Not a promise as a rule. */
  mayKeep(principal: string, bytes: number, unwritten: Unwritten): boolean | Promise<boolean> {
    const credit = this.creditOf(principal);
    if (credit.bytes < bytes)
      return this.count(principal, credit, unwritten).then(() => {
        if (credit.bytes < bytes) return false;
        credit.bytes -= bytes;
        return true;
      });
    credit.bytes -= bytes;
    return true;
  }

  private hasTaken(credit: Credit): boolean {
    if (credit.refusedUntil > performance.now()) throw this.refusal();
    if (credit.uploads === 0) return false;
    credit.uploads -= 1;
    credit.pending += 1;
    return true;
  }

  private count(principal: string, credit: Credit, unwritten: Unwritten): Promise<void> {
    credit.counting ??= this.counted(principal, credit, unwritten).finally(() => {
      credit.counting = null;
    });
    return credit.counting;
  }

  private async counted(principal: string, credit: Credit, unwritten: Unwritten): Promise<void> {
    const { pending } = credit;
    const { uploads, bytes } = await this.uploads.count(principal, Math.max(this.most, 1_000));
    const drafts = unwritten();
    const left = this.most - uploads - drafts.uploads;
    credit.uploads = Math.max(0, Math.ceil((left - pending) / PART));
    credit.bytes = Math.max(0, Math.ceil((MAX_INLINE_BYTES - bytes - drafts.bytes) / PART));
    if (this.most > 0 && left <= 0) credit.refusedUntil = performance.now() + REFUSED_MS;
  }

  private creditOf(principal: string): Credit {
    let credit = this.known.get(principal);
    if (!credit) {
      const [uploads, bytes] = [Math.floor(this.most / PART), Math.floor(MAX_INLINE_BYTES / PART)];
      credit = { uploads, bytes, pending: 0, refusedUntil: 0, counting: null };
      this.known.set(principal, credit);
    }
    return credit;
  }

  private refusal(): OciError {
    OVER_LIMIT.add('open-uploads');
    const headers = { 'Retry-After': String(RETRY_SECONDS) };
    return new OciError('tooManyUploads', { maxOpenUploads: this.most }, { headers });
  }
}
