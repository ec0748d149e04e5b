import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { LRUCache } from 'lru-cache';
import type { SignedUrlOptions } from '../blob-store.js';
import type { ObjectKey } from '../object-keys.js';

const KEPT = 20_000;

/** URLs that let their holder read one object for a while. Signing costs more than all else of a redirect. */
export class SignedUrls {
  readonly #signed = new LRUCache<string, Promise<URL>>({ max: KEPT });

  constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
  ) {}

  /**
   * A URL that is good for at least half of the time asked for. `check` runs for a new one, beside the signing: what it
   * throws is thrown, and a URL is kept only when it says true.
   */
  async of(
    key: ObjectKey,
    options: SignedUrlOptions,
    check: (options: SignedUrlOptions) => Promise<boolean>,
  ): Promise<URL> {
    const { ttlSeconds, contentType = 'application/octet-stream' } = options;
    const name = [key, ttlSeconds, contentType].join(' ');
    const known = this.#signed.get(name);
    if (known) return known;
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, ResponseContentType: contentType });
    const signing = getSignedUrl(this.client, command, { expiresIn: ttlSeconds });
    const signed = Promise.all([signing, check(options)]).then(([text, isKept]) => {
      if (!isKept) this.#signed.delete(name);
      return new URL(text);
    });
    this.#signed.set(name, signed, { ttl: (ttlSeconds / 2) * 1000 });
    signed.catch(() => this.#signed.delete(name));
    return signed;
  }

  close(): void {
    this.client.destroy();
  }
}
