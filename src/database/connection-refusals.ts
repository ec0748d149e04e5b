/** SQLSTATE "too many connections": of the server, the database or the role. */
const TOO_MANY = '53300';
/** What PgBouncer says of its own limits, and of a server's that it has met: it has one SQLSTATE for everything. */
const POOLER_LIMITS = /too many connections|too many clients|no more connections allowed|connection slots are reserved/;

/** Whether the server is there and has no room for another connection. */
export function isWithoutRoom(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === TOO_MANY || (code === '08P01' && POOLER_LIMITS.test(String(message)));
}
