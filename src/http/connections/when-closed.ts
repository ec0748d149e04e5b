import type { ServerResponse } from 'node:http';

/** Runs once the response has been sent or its client has left, also if that was before. */
export function whenClosed(response: Pick<ServerResponse, 'closed' | 'once'>, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}
