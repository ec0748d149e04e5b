import { EXIT_CODES, type ExitCode } from '../exit-codes.js';
import { print, type OutputOptions } from '../output.js';
import { administer, type LoginOptions } from './open-administration.js';

export type UserOptions = LoginOptions & OutputOptions;

export interface CreateUserOptions extends UserOptions {
  readonly email?: string;
  readonly displayName?: string;
}

export async function createUser(username: string, options: CreateUserOptions): Promise<ExitCode> {
  const { email, displayName } = options;
  const texts = { ...(email === undefined ? {} : { email }), ...(displayName === undefined ? {} : { displayName }) };
  return administer(options, async (administration, passwords) => {
    const password = await passwords.fresh(username);
    const user = await administration.createUser({ username, password, ...texts });
    const generated = shownPassword(options, password);
    print(options, { ...user, ...generated }, [`created ${username}`, ...linesOf(generated)]);
    return EXIT_CODES.ok;
  });
}

export async function resetPassword(username: string, options: UserOptions): Promise<ExitCode> {
  return administer(options, async (administration, passwords) => {
    const password = await passwords.fresh(username);
    await administration.resetPassword(username, password);
    const generated = shownPassword(options, password);
    const line = `${username} has a new password; every session and login of the old one has ended`;
    print(options, { username, ...generated }, [line, ...linesOf(generated)]);
    return EXIT_CODES.ok;
  });
}

export async function setDisabled(username: string, disabled: boolean, options: UserOptions): Promise<ExitCode> {
  return administer(options, async (administration) => {
    const user = await administration.setDisabled(username, disabled);
    print(options, user, [`${disabled ? 'disabled' : 'enabled'} ${username}`]);
    return EXIT_CODES.ok;
  });
}

interface ShownPassword {
  readonly password?: string;
}

function shownPassword({ generate }: UserOptions, password: string): ShownPassword {
  return generate === true ? { password } : {};
}

function linesOf({ password }: ShownPassword): string[] {
  return password === undefined ? [] : [`password: ${password}`];
}
