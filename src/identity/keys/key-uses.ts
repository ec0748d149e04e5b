import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { WriteBehind } from '../../events/write-behind.js';
import { ApiKeysRepository, type KeyUse } from './api-keys.repository.js';

const EVERY_MS = 10_000;
/** Keys whose use is remembered between two reports; what is beyond is reported with its next use. */
const MAX_KEYS = 10_000;

/** When and from where keys were last used. What cannot be written is lost: it is told again with the next use. */
@Injectable()
export class KeyUses implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly uses: WriteBehind<KeyUse>;

  constructor(keys: ApiKeysRepository) {
    this.uses = new WriteBehind({
      what: 'uses of keys',
      everyMs: EVERY_MS,
      maxEntries: MAX_KEYS,
      write: (uses) => keys.markUsed(uses),
    });
  }

  onApplicationBootstrap(): void {
    this.uses.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.uses.end();
  }

  note(id: string, address: string): void {
    this.uses.set(id, { id, at: new Date(), address });
  }
}
