/**
 * SQLSTATE classes, system errors and the store's own that say "it is not there" or "not now", not "the statement is
 * wrong": also a primary that has become a standby (25006), a session that was ended (25P03), a transaction that was in
 * others' way each time (40001, 40P01) and a statement that took too long (57014).
 */
const OUTAGE_CODES =
  /^(08|53|57P)...?$|^(25006|25P03|40001|40P01|57014|55P03|store_unavailable|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/;
/** Of pg and TypeORM, for a connection that is not or no longer there. */
const OUTAGE_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Cannot use a pool after calling end|is not queryable|Query runner already released|query runner was already released/;
/** "Character not in repertoire": the client sent U+0000, which PostgreSQL stores in no text. */
const UNSTORABLE_TEXT = '22021';
/** "Lock not available": others have held a row for longer than it is waited for. */
const LOCK_TIMEOUT = '55P03';
const MAX_CAUSES = 5;

/** Whether a failure is a service's that this one depends on: the client is told to try again. */
export function isOutage(error: unknown): boolean {
  return hasCause(error, (code, { message }) => OUTAGE_CODES.test(code) || OUTAGE_MESSAGES.test(message));
}

/** Whether it is the database's callers that keep each other waiting, and nothing that is broken. */
export function isLockTimeout(error: unknown): boolean {
  return hasCause(error, (code) => code === LOCK_TIMEOUT);
}

/** Whether a create came under an `Idempotency-Key` that stands for another one. */
export function isReusedKey(error: unknown): boolean {
  return error instanceof Error && error.name === 'IdempotencyKeyReused';
}

/** Whether it came under one whose answer was kept under another `JWT_SECRET`. */
export function isUnreadableAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'KeptAnswerUnreadable';
}

/** Whether the database refused a text for a character in it: the request was wrong, whichever field it was. */
export function isUnstorableText(error: unknown): boolean {
  return hasCause(error, (code) => code === UNSTORABLE_TEXT);
}

function hasCause(error: unknown, fits: (code: string, cause: Error) => boolean): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (fits('code' in current ? String(current.code) : '', current)) return true;
    current = 'driverError' in current ? current.driverError : current.cause;
  }
  return false;
}
