import { LRUCache } from 'lru-cache';
import { FIRST_EPOCH } from './upload-epochs.js';
import type { NewUpload, UploadKey, UploadRow, UploadsRepository } from './uploads.repository.js';

/** What a draft may ask of the database. */
export interface DraftStatements {
  /** Writes the upload's row; nothing where it is there already. */
  insert(upload: NewUpload): Promise<void>;
  appendInline: UploadsRepository['appendInline'];
}

const EMPTY = Buffer.alloc(0);

/** An upload that this process alone knows: what its POST and its short PATCHes have said, and no row says yet. */
export class UploadDraft {
  private inline: Buffer = EMPTY;
  private row: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  /** Nothing is added any more: the bytes are reserved, or written through, or may have been. */
  private isFixed = false;

  constructor(
    private readonly upload: NewUpload,
    private readonly rows: DraftStatements,
    private readonly inlineLimit: number,
  ) {}

  get id(): string {
    return this.upload.id;
  }

  get principal(): string {
    return this.upload.principal;
  }

  get repoId(): number {
    return this.upload.repoId;
  }

  get bytes(): Buffer {
    return this.inline;
  }

  belongsTo({ repoId, principal }: UploadKey): boolean {
    return this.upload.repoId === repoId && this.upload.principal === principal;
  }

  /** How far the upload is then; `null`, and nothing has changed, where that is for the row to say. */
  append(bytes: Buffer, offset: number | null): number | null {
    if (this.isFixed) return null;
    if (offset !== null && offset !== this.inline.length) return null;
    if (this.inline.length + bytes.length > this.inlineLimit) return null;
    this.inline = this.inline.length === 0 ? bytes : Buffer.concat([this.inline, bytes]);
    return this.inline.length;
  }

  /** As its row would say. */
  asRow(): UploadRow {
    const { id, algorithm } = this.upload;
    const { inline } = this;
    const hash = { algorithm, hashLibrary: null, hashState: null, digest: null };
    return { id, state: 'open', epoch: FIRST_EPOCH.reserved, received: inline.length, writer: null, inline, ...hash };
  }

  /** True once: that caller may write one object under the reserved epoch, after `nameIt`. */
  reserve(): boolean {
    if (this.isFixed) return false;
    this.isFixed = true;
    return true;
  }

  /** The row is there, and with it the name of what will be written. */
  nameIt(): Promise<void> {
    this.row ??= this.rows.insert(this.upload).catch((error: unknown) => {
      this.row = null;
      throw error;
    });
    return this.row;
  }

  /**
   * The row says everything from then on; what else happens to the upload happens there. It moves the row's epoch, so
   * a closing request that is under way finds its own lost, as it does with every other request that comes in between.
   */
  writeThrough(): Promise<void> {
    this.isFixed = true;
    this.writing ??= this.write().catch((error: unknown) => {
      this.writing = null;
      throw error;
    });
    return this.writing;
  }

  private async write(): Promise<void> {
    await this.nameIt();
    if (this.inline.length === 0) return;
    // Nothing is moved where the row has moved on, or has been written by a statement whose answer was lost.
    const options = { offset: 0, limit: this.inlineLimit, expirySeconds: this.upload.expirySeconds };
    await this.rows.appendInline(this.upload, this.inline, options);
  }
}

/** Memory for bytes that a closing PUT may ask for again, and for how long: docker's comes within milliseconds. */
const MAX_RECENT_BYTES = 16 * 1024 * 1024;
const RECENT_TTL_MS = 30_000;

/** All bytes of an upload as this node has just put them into its row. */
export interface InlineBytes {
  readonly bytes: Buffer;
  /** The row's epoch since then: every other request on the upload has raised it. */
  readonly epoch: number;
}

interface Entry extends InlineBytes {
  readonly repoId: number;
  readonly principal: string;
}

/**
 * Saves the closing PUT of a small blob from asking for the bytes that its PATCH brought to the same node. A hint, never
 * the truth: what is made of it is committed under the epoch that it names, and a node that has none reads the row.
 */
export class RecentInlineBytes {
  private readonly uploads = new LRUCache<string, Entry>({
    maxSize: MAX_RECENT_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + 512,
    ttl: RECENT_TTL_MS,
  });

  /** `bytes` were appended and the upload now has `received` in all; forgotten where the others are not known. */
  keep(
    { id, repoId, principal }: UploadKey,
    bytes: Buffer,
    { epoch, received }: { epoch: number; received: number },
  ): void {
    const known = this.uploads.get(id);
    const before = known && known.bytes.length + bytes.length === received && known.epoch < epoch ? known.bytes : null;
    if (received === bytes.length) this.uploads.set(id, { repoId, principal, bytes, epoch });
    else if (before) this.uploads.set(id, { repoId, principal, bytes: Buffer.concat([before, bytes]), epoch });
    else this.uploads.delete(id);
  }

  /** Given once: the epoch that was reserved with it serves one writer. */
  take({ id, repoId, principal }: UploadKey): InlineBytes | null {
    const known = this.uploads.get(id);
    if (known?.repoId !== repoId || known.principal !== principal) return null;
    this.uploads.delete(id);
    return known;
  }
}
