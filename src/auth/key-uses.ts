import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ApiKeysRepository, type KeyUse } from './api-keys.repository.js';

const EVERY_MS = 10_000;
/** Keys whose use is remembered between two reports; what is beyond is reported with its next use. */
const MAX_KEYS = 10_000;

/** When and from where keys were last used: collected here and written in one statement, off the path of requests. */
@Injectable()
export class KeyUses implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(KeyUses.name);
  private uses = new Map<string, KeyUse>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly keys: ApiKeysRepository) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.report(), EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.report();
  }

  note(id: string, address: string): void {
    if (this.uses.size < MAX_KEYS || this.uses.has(id)) this.uses.set(id, { id, at: new Date(), address });
  }

  /** What cannot be written now is lost: it is told again with the next use. */
  async report(): Promise<void> {
    const uses = [...this.uses.values()];
    this.uses = new Map();
    if (uses.length === 0) return;
    try {
      await this.keys.markUsed(uses);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.logger.warn({ error: text, keys: uses.length, message: 'uses of keys are not recorded' });
    }
  }
}
