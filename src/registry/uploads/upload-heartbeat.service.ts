import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { CLOSING_LEASE_SECONDS, UploadsRepository } from './uploads.repository.js';

/** How long an upload without a byte lives: long enough for a client, and a day of aborted pushes leaves few. */
export const EMPTY_SECONDS = 3_600;

/** How often a request that takes long says that its upload is alive, in one life of an upload. */
const TIMES = 4;

/** Keeps an upload from expiring, and so from the sweep, while a request works on it. */
@Injectable()
export class UploadHeartbeat {
  private readonly logger = new Logger(UploadHeartbeat.name);
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: UploadsRepository,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  /** Runs work that may take longer than an upload lives, under the epoch that its request has claimed. */
  async during<T>(id: string, epoch: number, work: () => Promise<T>): Promise<T> {
    const timer = setInterval(
      () => {
        this.prolong(id, epoch);
      },
      (this.expirySeconds * 1000) / TIMES,
    ).unref();
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  /** The same of a closing request: others of its upload wait for it as long as it says that it is at work. */
  async whileClosing<T>(id: string, epoch: number, work: () => Promise<T>): Promise<T> {
    const timer = setInterval(
      () => {
        this.uploads.stayClosing(id, epoch).catch((error: unknown) => {
          this.logger.warn({ upload: id, error: String(error), message: 'others do not wait for a closing request' });
        });
      },
      (CLOSING_LEASE_SECONDS * 1000) / 3,
    ).unref();
    try {
      return await this.during(id, epoch, work);
    } finally {
      clearInterval(timer);
    }
  }

  /** After a first body that was cut off: a day of aborted pushes leaves as few uploads as if they had sent nothing. */
  async cutOff(id: string, epoch: number): Promise<void> {
    await this.uploads.shorten(id, epoch, EMPTY_SECONDS).catch((error: unknown) => {
      this.logger.warn({ upload: id, error: String(error), message: 'an upload without a byte lives for longer' });
    });
  }

  private prolong(id: string, epoch: number): void {
    this.uploads.prolong(id, epoch, this.expirySeconds).catch((error: unknown) => {
      this.logger.warn({ upload: id, error: String(error), message: 'the life of an upload could not be prolonged' });
    });
  }
}
