/** A large blob of which a part is read: where to go on, and the hash of what is behind. */
export interface Reading {
  readonly blobId: number;
  readonly storageKey: string;
  /** Bytes that the hash has. */
  readonly bytes: number;
  /** In base64. */
  readonly hashState: string;
  readonly hashLibrary: string;
  /** Whether the first reading found other bytes, and this is the second. */
  readonly isSecond: boolean;
}
