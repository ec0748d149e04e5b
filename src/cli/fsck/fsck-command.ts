import { explainConfig, readConfig } from '../../config/read-config.js';
import { DataDirInUse } from '../../database/embedded/data-dir-lock.js';
import { openDatabase } from '../../database/open-database.js';
import { StopSignals } from '../../server/stop-signals.js';
import { type LoginOptions, nodeFor } from '../admin/open-administration.js';
import { Passwords } from '../admin/passwords.js';
import { CliError, EXIT_CODES, type ExitCode } from '../exit-codes.js';
import { note, type OutputOptions } from '../output.js';
import { openFsckProgress } from './fsck-progress.js';
import { printResult } from './fsck-result.js';
import type { FsckRunner } from './fsck-runner.js';

export interface FsckCommandOptions extends LoginOptions, OutputOptions {
  readonly hash?: true;
  /** Bytes a second. */
  readonly rate: number;
  readonly restart?: true;
}

/** Throws `CliError` and `StartupError` when the check could not come to its end. */
export async function fsckCommand(options: FsckCommandOptions): Promise<ExitCode> {
  const { stop } = new StopSignals();
  const runner = await openRunner(options, stop);
  try {
    const { hash = false, rate: bytesPerSecond, restart = false } = options;
    const progress = openFsckProgress();
    const run = await runner.run({ hash, bytesPerSecond, restart }, progress.show, stop).finally(progress.end);
    const damaged = await printResult(options, run, runner.damaged());
    if (damaged > 0) return EXIT_CODES.damaged;
    return run.unchecked > 0 ? EXIT_CODES.failed : EXIT_CODES.ok;
  } finally {
    await runner.close();
  }
}

/** This process itself wherever it reaches the database: beside nodes too, but not beside one with an embedded database. */
async function openRunner(options: FsckCommandOptions, stop: AbortSignal): Promise<FsckRunner> {
  const { url, username } = options;
  const { config, problems } = explainConfig();
  if (config === null) throw new CliError(`the settings are wrong: ${problems.join('; ')}`);
  if (url === undefined && username !== undefined && config.isProduction) {
    throw new CliError('--username is for the API of a node: name it with --url', EXIT_CODES.usage);
  }
  if (url === undefined) {
    try {
      const database = await openDatabase(readConfig(), note, stop);
      const { openDirectFsck } = await import('./direct-fsck.js');
      return await openDirectFsck(database);
    } catch (error) {
      if (!(error instanceof DataDirInUse)) throw error;
    }
  }
  const passwords = new Passwords(options);
  try {
    const { node, login } = await nodeFor(options, config, passwords);
    const { openHttpFsck } = await import('./http-fsck.js');
    return await openHttpFsck(node, login);
  } finally {
    passwords.close();
  }
}
