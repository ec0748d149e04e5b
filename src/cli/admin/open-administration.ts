import type { AppConfig } from '../../config/config.js';
import { explainConfig } from '../../config/read-config.js';
import { knownAdministratorPassword } from '../../server/first-administrator.js';
import { CliError, EXIT_CODES } from '../exit-codes.js';
import { type LocalNode, localNode } from '../local-node.js';
import { isThisMachine } from '../push/target.js';
import type { Administration } from './administration.js';
import type { Login } from './http-administration.js';
import type { PasswordOptions } from './passwords.js';
import { Passwords } from './passwords.js';

/** For the node of this machine to speak TLS. */
const CONNECT_MS = 10_000;

export interface LoginOptions extends PasswordOptions {
  /** Of a node; without it that of LISTEN_ADDRESS where the database is embedded, else none. */
  readonly url?: URL;
  readonly username?: string;
}

/** Runs `work` on the registry that the settings or `--url` name. Throws `CliError` and `StartupError`. */
export async function administer<T>(
  options: LoginOptions,
  work: (administration: Administration, passwords: Passwords) => Promise<T>,
): Promise<T> {
  const passwords = new Passwords(options);
  try {
    const administration = await open(options, passwords);
    try {
      return await work(administration, passwords);
    } finally {
      await administration.close();
    }
  } finally {
    passwords.close();
  }
}

async function open(options: LoginOptions, passwords: Passwords): Promise<Administration> {
  const { url, username } = options;
  const { config, problems } = explainConfig();
  if (config === null) throw new CliError(`the settings are wrong: ${problems.join('; ')}`);
  if (url === undefined && config.isProduction) {
    if (username !== undefined) {
      throw new CliError('--username is for the API of a node: name it with --url', EXIT_CODES.usage);
    }
    const { openDirectly } = await import('./direct-administration.js');
    return openDirectly();
  }
  const { openOverHttp } = await import('./http-administration.js');
  const { node, login } = await nodeFor(options, config, passwords);
  return openOverHttp(node, login);
}

/** The node of `--url`, else that of the settings, and who logs in to it. */
export async function nodeFor(
  { url, username }: LoginOptions,
  config: AppConfig,
  passwords: Passwords,
): Promise<{ node: LocalNode; login: Login }> {
  if (url?.protocol === 'http:' && !isThisMachine(url.host)) {
    throw new CliError('a password would cross the network for all to read: use https://', EXIT_CODES.usage);
  }
  const login = await loginFor(username, url === undefined ? config : null, passwords);
  return { node: url === undefined ? localNode(CONNECT_MS) : { url }, login };
}

/** The administrator's password of the node in `DATA_DIR` is read from its file. */
async function loginFor(username: string | undefined, local: AppConfig | null, passwords: Passwords): Promise<Login> {
  if (username !== undefined) return { username, password: await passwords.present(username) };
  if (local === null) throw new CliError('who are you? --url wants --username', EXIT_CODES.usage);
  const password = knownAdministratorPassword(local);
  const administrator = local.security.adminUsername;
  if (password !== null) return { username: administrator, password };
  throw new CliError(
    `DATA_DIR (${local.server.dataDir}) has no password of ${administrator}: start the node first, with "aerugo serve" ` +
      'or "npm start", or log in with --username',
  );
}
