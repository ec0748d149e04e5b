import { EXIT_CODES, type ExitCode } from '../exit-codes.js';
import { note, print, type OutputOptions } from '../output.js';
import type { ShownKey } from './administration.js';
import { administer, type LoginOptions } from './open-administration.js';

export type TokenOptions = LoginOptions & OutputOptions;

export interface CreateTokenOptions extends TokenOptions {
  readonly name: string;
  readonly scope: readonly string[];
  readonly repository?: readonly string[];
  readonly expires?: string;
}

export async function createToken(username: string, options: CreateTokenOptions): Promise<ExitCode> {
  const { name, scope, repository, expires } = options;
  const limits = {
    ...(repository === undefined ? {} : { repositories: repository }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
  };
  return administer(options, async (administration) => {
    const key = await administration.createKey(username, { name, scopes: scope, ...limits });
    print(options, key, [key.key]);
    if (options.json !== true) note(`the key ${key.id} of ${username}; it cannot be shown again`);
    return EXIT_CODES.ok;
  });
}

export async function listTokens(username: string, options: TokenOptions): Promise<ExitCode> {
  return administer(options, async (administration) => {
    const items = await administration.listKeys(username);
    print(options, { items }, items.map(line));
    return EXIT_CODES.ok;
  });
}

export async function revokeToken(username: string, id: string, options: TokenOptions): Promise<ExitCode> {
  return administer(options, async (administration) => {
    await administration.revokeKey(username, id);
    print(options, { username, id }, [`revoked ${id}`]);
    return EXIT_CODES.ok;
  });
}

function line({ id, name, scopes, repositories, expiresAt }: ShownKey): string {
  const where = repositories === null ? '' : `  in ${repositories.join(' ')}`;
  return `${id}  ${name}  ${scopes.join(' ')}${where}  ${expiresAt === null ? 'until revoked' : `until ${expiresAt}`}`;
}
