import type { Reply } from '../support/http-exchange.js';

export interface Attempt {
  readonly request: string;
  readonly reply: Reply | null;
  /** Why there is no reply. */
  readonly error: string;
  /** Milliseconds since the registry last took or gave a byte. */
  readonly silentMs: number;
}

/** Every request that a load sent, and how it ended. */
export class RequestLog {
  requests = 0;
  retries = 0;
  longestFailureMs = 0;
  readonly failures = new Map<string, number>();
  /** Failures that a client could not tell from a broken registry. */
  readonly unclean: string[] = [];

  add(attempt: Attempt): void {
    this.requests++;
    if (attempt.reply !== null && attempt.reply.status < 500) return;
    const name = attempt.reply === null ? 'connection lost' : String(attempt.reply.status);
    this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
    this.longestFailureMs = Math.max(this.longestFailureMs, attempt.silentMs);
    if (attempt.reply === null || !isClean(attempt.reply)) this.unclean.push(describe(attempt));
  }

  get failed(): string {
    return [...this.failures].map(([name, count]) => `${count} × ${name}`).join(', ') || 'none';
  }
}

/** 503 in the form that its part of the registry promises, with the time to come back at. */
function isClean(reply: Reply): boolean {
  if (reply.status !== 503 || !(Number(reply.header('retry-after')) > 0)) return false;
  // A HEAD has no body to say it in.
  if (reply.request.startsWith('HEAD ')) return true;
  const isProblem = reply.header('content-type')?.startsWith('application/problem+json') ?? false;
  return isProblem || reply.codes[0] === 'UNAVAILABLE';
}

function describe({ request, reply, error, silentMs }: Attempt): string {
  return `${reply === null ? `${request}: ${error}` : reply.describe()} (after ${Math.round(silentMs)} ms)`;
}
