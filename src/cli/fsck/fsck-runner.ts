/** How far a check is; what the API shows of one. */
export interface ShownRun {
  readonly hash: boolean;
  readonly blobs: number;
  readonly totalBlobs: number;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly damaged: number;
  readonly healed: number;
  readonly unchecked: number;
}

/** A blob that is marked, as the API shows it. */
export interface ShownDamage {
  readonly digest: string;
  readonly size: number;
  readonly kind: 'missing' | 'size' | 'bytes';
  /** Bytes that the object has; `null` when it is missing. */
  readonly foundSize: number | null;
  /** Its name in the store. */
  readonly object: string;
  readonly foundBy: string;
  readonly foundAt: string;
  /** The first of them. */
  readonly repositories: readonly { readonly path: string; readonly tags: readonly string[] }[];
  readonly repositoryCount: number;
}

export interface RunOptions {
  readonly hash: boolean;
  readonly bytesPerSecond: number;
  readonly restart: boolean;
}

/** Who does it: this process, or the nodes. */
export interface FsckRunner {
  /** To its end. Throws `CliError` when it could not come there, with what has to be done. */
  run(options: RunOptions, moved: (run: ShownRun) => void, stop: AbortSignal): Promise<ShownRun>;
  /** All blobs that are marked now. */
  damaged(): AsyncIterable<ShownDamage>;
  close(): Promise<void>;
}

export const STOPPED = 'stopped; the same command goes on from here';
