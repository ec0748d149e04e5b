import { PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import type { Agent } from 'node:http';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { S3State, StoredPart, WriterState } from '../writer-state.js';
import type { DirectUploads, PartSizes, SignedBytes, SignedRequest, VerifiedObject } from '../direct-uploads.js';
import { epochKey, type ObjectKey } from '../object-keys.js';
import { ObjectTooLarge, UploadLost } from '../storage-errors.js';
import { type EncryptionFields, encryptionHeaders } from './encryption.js';
import type { PartPlan } from './part-plan.js';
import { emptyState } from './part-writer.js';
import { seePutsVerified } from './put-probe.js';
import type { S3Calls } from './s3-calls.js';

/** S3 takes no more in one PUT. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;
const CHECKSUM = 'x-amz-checksum-sha256';
const CONDITION = 'if-none-match';

export interface Signing {
  /** Signs for the address that clients use. */
  readonly client: S3Client;
  /** Signs for the node's own. */
  readonly ownClient: S3Client;
  /** For requests to that address. */
  readonly agent: Agent;
  readonly bucket: string;
  readonly encryption: EncryptionFields;
}

/** Presigned writes of a bucket. What is signed is what the store lets in: length, SHA-256 and condition. */
export class S3DirectUploads implements DirectUploads {
  readonly maxPutBytes = MAX_PUT_BYTES;
  #probe: Promise<boolean> | null = null;

  constructor(
    private readonly signing: Signing,
    private readonly calls: S3Calls,
    private readonly plan: PartPlan,
  ) {}

  verifiesPut(): Promise<boolean> {
    if (this.#probe) return this.#probe;
    const probe = seePutsVerified(this.calls, this.signing.agent, (key, bytes) =>
      this.#sign(this.signing.ownClient, key, bytes),
    );
    this.#probe = probe;
    probe.catch(() => {
      this.#probe = null;
    });
    return probe;
  }

  partSizes(size: number): PartSizes {
    if (size > this.plan.maxObjectBytes) throw new ObjectTooLarge(this.plan.maxObjectBytes);
    const bytes = this.plan.directPartBytes(size);
    return { bytes, count: Math.max(1, Math.ceil(size / bytes)) };
  }

  signPut(key: ObjectKey, bytes: SignedBytes): Promise<SignedRequest> {
    return this.#sign(this.signing.client, key, bytes);
  }

  async begin(stem: ObjectKey): Promise<WriterState> {
    const multipart = await this.calls.createMultipart(epochKey(stem, 0, 'multipart'), { checksum: 'SHA256' });
    return { ...emptyState(), multipart };
  }

  async signPart(state: WriterState, number: number, bytes: SignedBytes): Promise<SignedRequest> {
    const { id, key } = multipartOf(state);
    const headers = { 'content-length': String(bytes.size), [CHECKSUM]: base64Of(bytes.sha256Hex) };
    const command = new UploadPartCommand({
      Bucket: this.signing.bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      ContentLength: bytes.size,
      ChecksumSHA256: headers[CHECKSUM],
    });
    const url = await getSignedUrl(this.signing.client, command, {
      expiresIn: bytes.ttlSeconds,
      ...inHeaders(headers),
    });
    return { url, headers };
  }

  async parts(state: WriterState): Promise<readonly StoredPart[] | null> {
    try {
      return await this.calls.parts(multipartOf(state));
    } catch (error) {
      if (error instanceof UploadLost) return null;
      throw error;
    }
  }

  withParts(state: WriterState, parts: readonly StoredPart[]): S3State {
    return { ...emptyState(), multipart: multipartOf(state), parts };
  }

  verified(key: ObjectKey): Promise<VerifiedObject | null> {
    return this.calls.head(key);
  }

  async #sign(client: S3Client, key: ObjectKey, { size, sha256Hex, ttlSeconds }: SignedBytes): Promise<SignedRequest> {
    const { bucket, encryption } = this.signing;
    const needed = { 'content-length': String(size), [CHECKSUM]: base64Of(sha256Hex), [CONDITION]: '*' };
    const headers = { ...needed, ...encryptionHeaders(encryption) };
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentLength: size,
      ChecksumSHA256: needed[CHECKSUM],
      IfNoneMatch: needed[CONDITION],
      ...encryption,
    });
    return { url: await getSignedUrl(client, command, { expiresIn: ttlSeconds, ...inHeaders(headers) }), headers };
  }
}

/** The presigner would move them to the query, where the store does not act on them: a wrong body would get 200. */
function inHeaders(headers: Readonly<Record<string, string>>): {
  unhoistableHeaders: Set<string>;
  signableHeaders: Set<string>;
} {
  return {
    unhoistableHeaders: new Set(Object.keys(headers)),
    signableHeaders: new Set(['host', ...Object.keys(headers)]),
  };
}

function multipartOf(state: WriterState): NonNullable<S3State['multipart']> {
  if (state.driver !== 's3' || !state.multipart) throw new UploadLost('the upload was begun in another kind of store');
  return state.multipart;
}

function base64Of(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
