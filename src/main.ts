import type { Logger } from 'pino';
import type { AppConfig } from './config/config.js';
import { readConfig } from './config/read-config.js';
import { StartupError } from './config/startup-error.js';
import { openLog } from './http/logger.js';
import { run } from './run.js';
import { StopSignals } from './stop-signals.js';

/** Something may still hold on to the event loop after everything has been closed. */
const EXIT_PATIENCE_MS = 2_000;

async function main(): Promise<number> {
  const signals = new StopSignals();
  process.stdout.on('error', () => undefined); // whoever read the log has gone; the registry goes on
  try {
    const config: AppConfig = readConfig();
    const log: Logger = await openLog(config.server.logLevel, process.stdout.isTTY);
    return await run(config, log, signals);
  } catch (error) {
    // A StartupError tells the operator what to do; anything else is a bug, and its stack tells us.
    const stack = error instanceof Error ? error.stack : undefined;
    const reason = error instanceof StartupError ? error.message : (stack ?? String(error));
    process.stderr.write(`Aerugo cannot start: ${reason}\n`);
    return 1;
  }
}

process.exitCode = await main();
setTimeout(() => process.exit(), EXIT_PATIENCE_MS).unref();
