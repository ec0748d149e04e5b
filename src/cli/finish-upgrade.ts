import { NestFactory } from '@nestjs/core';
import type { AppConfig } from '../config/config.js';
import { NODE_LEVEL } from '../upgrades/node-level.js';
import { UpgradeState } from '../upgrades/upgrade-state.service.js';
import { CliError } from './exit-codes.js';
import { FinishUpgradeModule } from './finish-upgrade.module.js';

/** Turns on all rules of this version, and gives its level. Throws `CliError` while a live node has a lower one. */
export async function finishUpgrade(config: AppConfig): Promise<number> {
  // Never initialised: this process is no node.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as classes and takes literals
  const app = await NestFactory.create(FinishUpgradeModule.forRoot(config), { logger: false, abortOnError: false });
  try {
    const upgrades = app.get(UpgradeState);
    const { level } = await upgrades.finish();
    if (level >= NODE_LEVEL) return level;
    const older = (await upgrades.live()).filter((node) => node.level < NODE_LEVEL);
    const names = older.map(({ name, version }) => `${name} (${version})`).join(', ');
    throw new CliError(`nodes of an older version still run: ${names}. Update them, and repeat this`);
  } finally {
    await app.close();
  }
}
