import type { NewUpload, UploadKey, UploadRow, UploadsRepository } from './uploads.repository.js';

/** What a draft may ask of the database. */
export interface DraftStatements {
  /** Writes the upload's row; nothing where it is there already. */
  insert(upload: NewUpload): Promise<void>;
  appendHead: UploadsRepository['appendHead'];
}

/**
 * The epoch of a draft's row: as after a PATCH into it, so that the one before is free for the object that a closing
 * request makes of the bytes in memory.
 */
export const DRAFT_EPOCH = 2;

const EMPTY = Buffer.alloc(0);

/** An upload that this process alone knows: what its POST and its short PATCHes have said, and no row says yet. */
export class UploadDraft {
  private head: Buffer = EMPTY;
  private row: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  /** Nothing is added any more: the bytes are lent, or written through, or may have been. */
  private isFixed = false;

  constructor(
    private readonly upload: NewUpload,
    private readonly rows: DraftStatements,
    private readonly headLimit: number,
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
    return this.head;
  }

  belongsTo({ repoId, principal }: UploadKey): boolean {
    return this.upload.repoId === repoId && this.upload.principal === principal;
  }

  /** How far the upload is then; `null`, and nothing has changed, where that is for the row to say. */
  append(bytes: Buffer, offset: number | null): number | null {
    if (this.isFixed) return null;
    if (offset !== null && offset !== this.head.length) return null;
    if (this.head.length + bytes.length > this.headLimit) return null;
    this.head = this.head.length === 0 ? bytes : Buffer.concat([this.head, bytes]);
    return this.head.length;
  }

  /** As its row would say. */
  asRow(): UploadRow {
    const { id, algorithm } = this.upload;
    const { head } = this;
    const hash = { algorithm, hashLibrary: null, hashState: null, digest: null };
    return { id, state: 'open', epoch: DRAFT_EPOCH, received: head.length, writer: null, head, ...hash };
  }

  /** True once: that caller may write one object under the reserved epoch, after `nameIt`. */
  lend(): boolean {
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
    if (this.head.length === 0) return;
    // Nothing is moved where the row has moved on, or has been written by a statement whose answer was lost.
    const options = { offset: 0, limit: this.headLimit, expirySeconds: this.upload.expirySeconds };
    await this.rows.appendHead(this.upload, this.head, options);
  }
}
