import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { ClientNetworks } from '../../http/connections/client-network.js';
import { BlobStore } from '../../storage/blob-store.js';
import type { ObjectKey } from '../../storage/object-keys.js';

/** How long a new URL is good for; the store hands one out again for half of that. */
const TTL_SECONDS = 300;

/** Who is sent to the store for a blob, and where: presigned addresses of objects. */
@Injectable()
export class BlobUrls {
  private readonly isOn: boolean;
  private readonly streamed: ClientNetworks;

  constructor(
    private readonly store: BlobStore,
    { storage }: AppConfig,
  ) {
    this.isOn = storage.redirect;
    this.streamed = new ClientNetworks(storage.streamCidrs);
  }

  /** Throws what `BlobStore.signedUrl` throws. `null` where redirects are off, for a client that cannot reach the store, and for stores without URLs. */
  async find(key: ObjectKey, size: number, address: string | undefined): Promise<URL | null> {
    if (!this.mayReach(address)) return null;
    return this.store.signedUrl(key, { ttlSeconds: TTL_SECONDS, size });
  }

  /** Whether clients at this address are sent to the store at all. */
  mayReach(address: string | undefined): boolean {
    return this.isOn && !this.streamed.has(address);
  }
}
