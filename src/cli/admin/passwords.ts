import { randomBytes } from 'node:crypto';
import { createInterface, type Interface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { CliError, EXIT_CODES } from '../exit-codes.js';

export interface PasswordOptions {
  readonly passwordStdin?: true;
  readonly generate?: true;
}

/** Where passwords are from: lines of stdin, a terminal that does not show them, or chance. Never arguments. */
export class Passwords {
  private lines: Promise<string[]> | null = null;
  private terminal: Interface | null = null;
  private typed: NodeJS.AsyncIterator<string> | null = null;

  constructor(private readonly options: PasswordOptions) {}

  /** Of an account that there is. */
  present(username: string): Promise<string> {
    return this.read(`Password of ${username}: `);
  }

  /** One that is about to be set: on a terminal it is typed twice. */
  async fresh(username: string): Promise<string> {
    if (this.options.generate === true) return randomBytes(18).toString('base64url');
    const password = await this.read(`New password of ${username}: `);
    if (this.options.passwordStdin !== true && (await this.read('Once more: ')) !== password) {
      throw new CliError('these were two different passwords; nothing was changed');
    }
    return password;
  }

  close(): void {
    this.terminal?.close();
  }

  private async read(question: string): Promise<string> {
    if (this.options.passwordStdin === true) return this.nextLine();
    if (!process.stdin.isTTY) {
      throw new CliError('there is no terminal to ask for a password: use --password-stdin', EXIT_CODES.usage);
    }
    this.terminal ??= createInterface({ input: process.stdin, output: nowhere(), terminal: true, historySize: 0 });
    this.typed ??= this.terminal[Symbol.asyncIterator]();
    process.stderr.write(question);
    const { value, done } = await this.typed.next();
    process.stderr.write('\n');
    if (done === true) throw new CliError('no password was entered; nothing was changed');
    return value;
  }

  private async nextLine(): Promise<string> {
    this.lines ??= text(process.stdin).then((all) => all.split(/\r?\n/));
    const line = (await this.lines).shift();
    if (line === undefined || line === '') {
      throw new CliError('a password is missing on stdin: one a line, that of the login first', EXIT_CODES.usage);
    }
    return line;
  }
}

/** Readline shows what is typed by writing it to its output. */
function nowhere(): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
}
