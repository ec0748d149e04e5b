import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';

/** OWASP's choice for argon2id (the package's default algorithm): 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Of the thread pool's four threads two stay free for files, and hashing takes at most 38 MiB at once. */
const AT_ONCE = 2;
/** About four seconds of work; beyond it a client is told to come again instead of waiting until it gives up. */
const MAX_WAITING = 128;

/** Characters before normalisation. */
const MAX_LENGTH = 1024;

/** The hash of no user's password: an unknown user costs as much time as a wrong password. */
const NOBODYS_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$ppPXCyyYYcqGg5x5TwcLSw$0LqYuetPOEl9fQc2MsA4mZXKgmVzlVRVhRcU4DdzPCg';

/** argon2id off the event loop, a few at a time: a storm of logins waits instead of taking memory and threads. */
@Injectable()
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** Throws `RangeError` for what is too long to be a password. */
  async hash(password: string): Promise<string> {
    if (password.length > MAX_LENGTH) throw new RangeError(`a password has at most ${MAX_LENGTH} characters`);
    return this.inTurn(() => hash(normalisePassword(password), PARAMETERS));
  }

  /** `null` for a user that does not exist or has no password: takes as long, and is false. */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    const matches = await this.inTurn(() => verify(passwordHash ?? NOBODYS_HASH, normalisePassword(password)));
    return matches && passwordHash !== null && password.length <= MAX_LENGTH;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= MAX_WAITING) throw new ServiceUnavailableException();
      // The ended one hands its place over, so `running` stays.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}

/**
 * One password, however a keyboard composed its characters; applied wherever a password is stored or compared. One that
 * is too long is as good as none, and is not worth the square of a run of combining marks, which normalisation takes.
 */
export function normalisePassword(password: string): string {
  return password.length > MAX_LENGTH ? '' : password.normalize('NFKC');
}
