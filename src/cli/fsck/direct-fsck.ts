import { NestFactory } from '@nestjs/core';
import type { OpenDatabase } from '../../database/open-database.js';
import { OfflineFsckModule } from './offline-fsck.module.js';
import { ApiError } from '../../http/errors/api-error.js';
import { RunLost, StoreNotUsable } from '../../operations/integrity/integrity-walk.service.js';
import { OfflineFsck } from '../../operations/integrity/offline-fsck.service.js';
import { CliError } from '../exit-codes.js';
import { note } from '../output.js';
import { type FsckRunner, type ShownDamage, STOPPED } from './fsck-runner.js';

const PAGE = 500;
/** Their words are for the operator. */
const EXPECTED = [StoreNotUsable, RunLost, ApiError] as const;

/** In this process, on the database and the store themselves. Throws `StartupError` where one of them is not there. */
export async function openDirectFsck(database: OpenDatabase): Promise<FsckRunner> {
  const app = await open(database);
  const fsck = app.get(OfflineFsck, { strict: false });
  return {
    run: async ({ restart, ...options }, moved, stop) => {
      try {
        return await fsck.run({ ...options, resume: !restart }, stop, {
          moved,
          unchecked: ({ digest }, reason) => {
            note(`could not check ${digest}: ${reason}`);
          },
        });
      } catch (error) {
        if (stop.aborted) throw new CliError(STOPPED, undefined, { cause: error });
        const isExpected = EXPECTED.some((kind) => error instanceof kind);
        throw isExpected ? new CliError((error as Error).message, undefined, { cause: error }) : error;
      }
    },
    damaged: async function* () {
      for (let after = 0; ;) {
        const page = await fsck.damaged(after, PAGE);
        for (const { blobId, storageKey: object, foundAt, ...shown } of page) {
          after = blobId;
          yield { ...shown, object, foundAt: foundAt.toISOString() } satisfies ShownDamage;
        }
        if (page.length < PAGE) return;
      }
    },
    close: async () => {
      await app.close();
      await database.close();
    },
  };
}

async function open(database: OpenDatabase) {
  try {
    // Never initialised: that begins the work in the background that nodes do.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as classes and takes literals
    return await NestFactory.create(OfflineFsckModule.forRoot(database.config), { logger: false, abortOnError: false });
  } catch (error) {
    await database.close();
    throw error;
  }
}
