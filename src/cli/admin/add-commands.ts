import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.js';
import { JSON_OPTION, parseUrl } from '../option-parsers.js';
import type { CreateTokenOptions, TokenOptions } from './token-commands.js';
import type { CreateUserOptions, UserOptions } from './user-commands.js';

type Finish = (code: ExitCode) => void;

const FRESH = 'stdin has the new password, after that of the login where --username is given; one a line';

/** Accounts and keys: with DATABASE_URL on the database itself, else through the API of a node. */
export function addAdminCommands(program: Command, finish: Finish): void {
  addUserCommands(program.command('user').description('Accounts: create them, shut them out, set passwords.'), finish);
  addTokenCommands(program.command('token').description('API keys of a user: create, list, revoke.'), finish);
}

function addUserCommands(user: Command, finish: Finish): void {
  const load = () => import('./user-commands.js');
  withLogin(user.command('create'), FRESH)
    .description('Create a user, and the namespace of the same name.')
    .argument('<user>')
    .option('--email <address>')
    .option('--display-name <name>')
    .option('--generate', 'make up a password and print it')
    .action(async (name: string, options: CreateUserOptions) => {
      finish(await (await load()).createUser(name, options));
    });
  withLogin(user.command('reset-password'), FRESH)
    .description('Set a password; sessions and logins of the old one end at once, API keys stay.')
    .argument('<user>')
    .option('--generate', 'make up a password and print it')
    .action(async (name: string, options: UserOptions) => {
      finish(await (await load()).resetPassword(name, options));
    });
  for (const disabled of [true, false]) {
    withLogin(user.command(disabled ? 'disable' : 'enable'))
      .description(disabled ? 'Refuse a user from the next request on.' : 'Let a disabled user in again.')
      .argument('<user>')
      .action(async (name: string, options: UserOptions) => {
        finish(await (await load()).setDisabled(name, disabled, options));
      });
  }
}

function addTokenCommands(token: Command, finish: Finish): void {
  const load = () => import('./token-commands.js');
  withLogin(token.command('create'))
    .description('Create an API key; the key itself is printed this once.')
    .argument('<user>')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scope <scope...>', 'repo:pull, repo:push, repo:delete, manage')
    .option('--repository <path...>', 'limit it to namespaces, repositories or paths such as acme/team/*')
    .option('--expires <time>', 'when it ends, such as 2027-01-31T00:00:00Z')
    .action(async (user: string, options: CreateTokenOptions) => {
      finish(await (await load()).createToken(user, options));
    });
  withLogin(token.command('list'))
    .description('List the keys of a user, the oldest first.')
    .argument('<user>')
    .action(async (user: string, options: TokenOptions) => {
      finish(await (await load()).listTokens(user, options));
    });
  withLogin(token.command('revoke'))
    .description('Refuse a key, and every token that it bought, from the next request on.')
    .argument('<user>')
    .argument('<id>', 'as list prints it')
    .action(async (user: string, id: string, options: TokenOptions) => {
      finish(await (await load()).revokeToken(user, id, options));
    });
}

function withLogin(command: Command, stdin = 'stdin has the password of --username'): Command {
  return command
    .option('--url <url>', 'through the API of this node; without DATABASE_URL that of LISTEN_ADDRESS', parseUrl)
    .option('--username <name>', 'log in to the API so; else ADMIN_USERNAME with the password of DATA_DIR')
    .option('--password-stdin', stdin)
    .option(...JSON_OPTION);
}
