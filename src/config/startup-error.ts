/**
 * A reason not to start that the operator can do something about. The message says what is wrong and what
 * to do; `start-node.ts` prints it without a stack and exits with code 1.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
