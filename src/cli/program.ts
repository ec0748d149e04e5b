import { Command, CommanderError } from 'commander';
import { loadEnvFile } from '../config/env-file.js';
import { StartupError } from '../config/startup-error.js';
import { addAdminCommands } from './admin/add-commands.js';
import { CliError, EXIT_CODES, type ExitCode } from './exit-codes.js';
import { addFsck } from './fsck/add-fsck.js';
import { JSON_OPTION, parseSeconds, parseSize, parseUrl } from './option-parsers.js';
import { note } from './output.js';
import { SMALLEST_CHUNK } from './push/body-limit.js';
import type { PushOptions } from './push/push-command.js';

const EXIT_CODE_HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (log in, or ask for the right), 4 fsck found damaged blobs.`;

/**
 * Runs one command and leaves the exit code in `process.exitCode`. Each command loads its own code: asking a node for
 * its health must not load an object-relational mapper.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  process.stdout.on('error', () => undefined); // the reader has gone
  try {
    await createProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

export function createProgram(): Command {
  const program = new Command('aerugo')
    .description('A distributed, multi-tenant OCI container registry.')
    .option('--settings <file>', 'read variables from a file, as npm start does with .env')
    .addHelpText('after', EXIT_CODE_HELP)
    .showSuggestionAfterError()
    .exitOverride()
    .hook('preAction', (command) => {
      const { settings } = command.opts<{ settings?: string }>();
      if (settings !== undefined) loadVariables(settings);
    });
  addNodeCommands(program);
  addPush(program);
  addAdminCommands(program, finish);
  addFsck(program, finish);
  for (const command of program.commands) {
    for (const one of [command, ...command.commands]) one.addHelpText('after', EXIT_CODE_HELP);
  }
  return program;
}

/** What runs a node and looks after it. */
function addNodeCommands(program: Command): void {
  program
    .command('serve')
    .description('Run the registry until SIGTERM or Ctrl-C, as npm start does.')
    .action(async () => {
      const { startNode } = await import('../server/start-node.js');
      await startNode();
    });
  program
    .command('migrate')
    .description('Bring the database schema up to date (through DATABASE_DIRECT_URL where it is set).')
    .option('--finish', 'turn on what nodes of 0.1 would violate; none of them may run any more')
    .option(...JSON_OPTION)
    .action(async (options: { finish?: true; json?: true }) => {
      const { migrateCommand } = await import('./migrate-command.js');
      finish(await migrateCommand(options));
    });
  program
    .command('health')
    .description('Ask a node how it is: 0 when it serves, 1 when it does not. Without --url the one of LISTEN_ADDRESS.')
    .option('--url <url>', 'address of a node or a load balancer, such as http://localhost:8080', parseUrl)
    .option('--timeout <seconds>', 'how long to wait for the answer', parseSeconds, 5)
    .option(...JSON_OPTION)
    .action(async (options: { url?: URL; timeout: number; json?: true }) => {
      const { healthCommand } = await import('./health-command.js');
      finish(await healthCommand(options));
    });
  program
    .command('config')
    .description('Show each setting as a start would use it and where it is from; secrets are masked.')
    .option(...JSON_OPTION)
    .action(async (options: { json?: true }) => {
      const { configCommand } = await import('./config-command.js');
      finish(configCommand(options));
    });
}

function addPush(program: Command): void {
  program
    .command('push')
    .description('Push an image from an OCI layout (directory or tar) or an archive of docker save.')
    .argument('<source>', 'the directory or the archive')
    .argument('<reference>', 'where it goes, such as registry.example.com/acme/app:1')
    .option('--image <name>', 'which image, where the source has several')
    .option('--username <name>', 'log in so, and not as docker login has kept it; with --password-stdin')
    .option('--password-stdin', 'read the password, an API key or a token from stdin')
    .option('--insecure', 'plain HTTP, which is otherwise for this machine alone')
    .option('--no-direct', 'send all bytes through the registry, and none to its store')
    .option(
      '--chunk-size <size>',
      'send at most this much of a blob in one request to the registry, such as 10MiB (default: all, less after a 413)',
      parseSize(SMALLEST_CHUNK),
    )
    .option('--quiet', 'print the digest alone')
    .option(...JSON_OPTION)
    .action(async (source: string, reference: string, options: PushOptions) => {
      const { pushCommand } = await import('./push/push-command.js');
      finish(await pushCommand(source, reference, options));
    });
}

function finish(code: ExitCode): void {
  process.exitCode = code;
}

/** The exit code for what was thrown, after saying it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  const isExpected = error instanceof CliError || error instanceof StartupError;
  const stack = error instanceof Error ? error.stack : undefined;
  note(`aerugo: ${isExpected ? error.message : (stack ?? String(error))}`);
  return error instanceof CliError ? error.exitCode : EXIT_CODES.failed;
}

function loadVariables(file: string): void {
  try {
    loadEnvFile(file);
  } catch (error) {
    throw new CliError(`cannot read ${file}: correct --settings`, EXIT_CODES.usage, { cause: error });
  }
}
