/** The system's word for what failed (`ENOENT`), or the error itself as text. */
export function errorCode(error: unknown): string {
  // not instanceof: a test runner's Error is another class than that of Node's own modules
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
