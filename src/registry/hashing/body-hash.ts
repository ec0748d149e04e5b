import { createHash, type Hash } from 'node:crypto';
import { type Algorithm, digestFrom } from '../../oci/digest.js';
import type { HashPlan } from './hash-plan.js';
import type { HashWorkers } from './hash-workers.js';
import { HASH_LIBRARY, hashOn } from './saved-hash.js';
import type { UploadHash } from '../uploads/uploads.repository.js';
import type { WorkerHash } from './worker-hash.js';

/** Bodies up to this size are hashed where they are: a thread would cost more. */
const INLINE_BYTES = 64 * 1024;
const NATIVE_INLINE_BYTES = 1024 * 1024;

/** The hash of one request's body as it passes. */
export interface BodyHash {
  /** Something to wait for, or nothing. */
  update(chunk: Uint8Array): Promise<undefined> | undefined;
  /** Of everything so far; call it once. */
  finish(): Promise<UploadHash>;
  /** SHA-256 of exactly what was hashed, if that is what was computed; only after the last byte. */
  sha256(): string | null;
  discard(): void;
}

/** `bytes`: the length of what will be hashed, when it is known. */
export function beginHash(plan: HashPlan, bytes: number | null, workers: HashWorkers): BodyHash {
  switch (plan.kind) {
    case 'native':
      return (bytes !== null && bytes <= NATIVE_INLINE_BYTES) || !workers.areUseful
        ? new NativeHash(plan.algorithm)
        : new ThreadHash(plan.algorithm, workers.beginNative(plan.algorithm));
    case 'saved':
      return bytes !== null && bytes <= INLINE_BYTES
        ? new InlineHash(plan.algorithm, plan.state)
        : new ThreadHash(plan.algorithm, workers.begin(plan.algorithm, plan.state));
    case 'none':
      return new NoHash(plan.algorithm);
  }
}

class NativeHash implements BodyHash {
  private readonly hash: Hash;
  private result: Buffer | null = null;

  constructor(private readonly algorithm: Algorithm) {
    this.hash = createHash(algorithm);
  }

  update(chunk: Uint8Array): undefined {
    this.hash.update(chunk);
  }

  finish(): Promise<UploadHash> {
    const digest = digestFrom(this.algorithm, this.bytes());
    return Promise.resolve({ algorithm: this.algorithm, hashLibrary: null, hashState: null, digest });
  }

  sha256(): string | null {
    return this.algorithm === 'sha256' ? this.bytes().toString('hex') : null;
  }

  discard(): void {
    // Nothing is held outside of this object.
  }

  private bytes(): Buffer {
    return (this.result ??= this.hash.digest());
  }
}

class InlineHash implements BodyHash {
  private readonly chunks: Uint8Array[] = [];

  constructor(
    private readonly algorithm: Algorithm,
    private readonly state: Buffer | null,
  ) {}

  update(chunk: Uint8Array): undefined {
    this.chunks.push(Uint8Array.from(chunk)); // the chunk is the body's own again after this
  }

  finish(): Promise<UploadHash> {
    const { digest, state } = hashOn(this.algorithm, this.state, this.chunks);
    return Promise.resolve({ algorithm: this.algorithm, hashLibrary: HASH_LIBRARY, hashState: state, digest });
  }

  sha256(): null {
    return null;
  }

  discard(): void {
    this.chunks.length = 0;
  }
}

class ThreadHash implements BodyHash {
  constructor(
    private readonly algorithm: Algorithm,
    private readonly hash: WorkerHash,
  ) {}

  update(chunk: Uint8Array): Promise<undefined> | undefined {
    return this.hash.update(chunk);
  }

  async finish(): Promise<UploadHash> {
    const { digest, state } = await this.hash.finish();
    return { algorithm: this.algorithm, hashLibrary: state && HASH_LIBRARY, hashState: state, digest };
  }

  sha256(): null {
    return null;
  }

  discard(): void {
    this.hash.discard();
  }
}

class NoHash implements BodyHash {
  constructor(private readonly algorithm: Algorithm) {}

  update(): undefined {
    return undefined;
  }

  finish(): Promise<UploadHash> {
    return Promise.resolve({ algorithm: this.algorithm, hashLibrary: null, hashState: null, digest: null });
  }

  sha256(): null {
    return null;
  }

  discard(): void {
    // Nothing was begun.
  }
}
