/** SQLSTATE classes and system errors that say "the database is not there", not "the statement is wrong". */
const OUTAGE_CODES =
  /^(08|53|57P)...?$|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/;
const OUTAGE_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Cannot use a pool after calling end/;
const MAX_CAUSES = 5;

/** Whether a failure is a service's that this one depends on: the client is told to try again. */
export function isOutage(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    const code = 'code' in current ? String(current.code) : '';
    if (OUTAGE_CODES.test(code) || OUTAGE_MESSAGES.test(current.message)) return true;
    current = 'driverError' in current ? current.driverError : current.cause;
  }
  return false;
}
