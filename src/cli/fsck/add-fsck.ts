import { type Command, InvalidArgumentError, Option } from 'commander';
import { InvalidValue, size } from '../../config/parsers.js';
import type { ExitCode } from '../exit-codes.js';
import { JSON_OPTION, parseUrl } from '../option-parsers.js';
import type { FsckCommandOptions } from './fsck-command.js';

const SLOWEST = 1024;
const FASTEST = 2 ** 40;
const DEFAULT_RATE = 50 * 2 ** 20;
const rateOf = size(SLOWEST, FASTEST);

export function addFsck(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('fsck')
    .description('Look for blobs whose object is missing or damaged, mark them, and list who needs them.')
    .option('--hash', 'read every byte, and not only look for the object and its size')
    .addOption(
      new Option('--rate <size>', 'bytes a second that are read at most')
        .default(DEFAULT_RATE, '50MiB')
        .argParser(parseRate),
    )
    .option('--restart', 'begin anew, also where the last check was stopped')
    .option('--url <url>', 'let the nodes do it, through the API of this one, and follow it', parseUrl)
    .option('--username <name>', 'log in to the API so; else ADMIN_USERNAME with the password of DATA_DIR')
    .option('--password-stdin', 'stdin has the password of --username')
    .option(...JSON_OPTION)
    .action(async (options: FsckCommandOptions) => {
      const { fsckCommand } = await import('./fsck-command.js');
      finish(await fsckCommand(options));
    });
}

function parseRate(text: string): number {
  try {
    return rateOf(text);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    throw new InvalidArgumentError(`It ${error.message}.`);
  }
}
