import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { drainServer } from '../http/connections/drain-server.js';
import { Drain } from '../http/connections/drain.js';
import type { DelayableWish, StopWish } from './stop-signals.js';

/** Resolves when there is a reason to stop: `null` when it is wished, the error when something has failed. */
export async function untilStopped(
  stop: AbortSignal,
  failures: readonly Promise<Error>[],
  log: Logger,
): Promise<Error | null> {
  const failure = await Promise.race([stopped(stop), uncaught(), ...failures]);
  if (failure !== null) log.fatal({ err: failure }, 'stopping after a failure');
  return failure;
}

export interface Delay {
  /** 0: the port closes at once. */
  readonly seconds: number;
  /** As `announceStop`, on every process of the node. */
  readonly announce: () => void;
}

/** As `untilStopped`, and then serves on for as long as load balancers need to learn that this node stops. */
export async function untilPortCloses(
  wish: DelayableWish,
  failures: readonly Promise<Error>[],
  log: Logger,
  { seconds, announce }: Delay,
): Promise<Error | null> {
  const failure = await untilStopped(wish.stop, failures, log);
  if (failure !== null || seconds === 0) return failure;
  announce();
  log.info(
    { event: 'stop.delayed', delaySeconds: seconds },
    'stopping: not ready any more, requests are still served; a second Ctrl-C or signal ends the delay at once',
  );
  return untilStopped(wish.delay(seconds), failures, log);
}

/** From now on `/readyz` says that this node stops. */
export function announceStop(app: NestExpressApplication): void {
  app.get(Drain, { strict: false }).begin();
}

/** Lets requests that run come to their end, for `graceSeconds` at most. */
export async function drain(
  app: NestExpressApplication,
  graceSeconds: number,
  log: Logger,
  { hurry }: StopWish,
): Promise<void> {
  announceStop(app);
  // Before the log line: a reader of it in another process would be refused.
  const finished = drainServer(app.getHttpServer(), graceSeconds * 1000, hurry);
  log.info(
    { event: 'draining', graceSeconds },
    'stopping: no new requests, those that run get their time; a second Ctrl-C or signal ends the wait at once',
  );
  if (!(await finished)) log.warn('requests were cut off that had not finished in time');
}

function stopped(stop: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve(null);
    stop.addEventListener('abort', () => {
      resolve(null);
    });
  });
}

/** After an unexpected error no state of this process is certain, except in the database. */
function uncaught(): Promise<Error> {
  return new Promise((resolve) => {
    process.on('uncaughtException', resolve);
  });
}
