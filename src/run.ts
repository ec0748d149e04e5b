import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { banner, localUrl } from './banner.js';
import type { AppConfig } from './config/config.js';
import { errorCode } from './config/error-code.js';
import { StartupError } from './config/startup-error.js';
import { configWarnings } from './config/warnings.js';
import { openDatabase, type OpenDatabase } from './database/open-database.js';
import { type Administrator, ensureFirstAdministrator } from './first-administrator.js';
import { drainServer } from './http/drain-server.js';
import { Drain } from './http/drain.js';
import { NestLog } from './http/logger.js';
import type { StopSignals } from './stop-signals.js';
import { UsersService } from './users/users.service.js';

/**
 * Runs the registry until it is told to stop, then lets it finish what it began. Resolves with the exit code.
 * Throws `StartupError`; whatever had been started by then is stopped.
 */
export async function run(config: AppConfig, log: Logger, signals: StopSignals): Promise<number> {
  for (const warning of configWarnings(config)) log.warn(warning);
  const say = (line: string): void => {
    log.info(line);
  };
  const loading = import('./bootstrap.js'); // takes as long as starting the database, so both go on at once
  loading.catch(() => undefined); // it is awaited below, when there is somebody to handle it
  const database = await openDatabase(config, say, signals.stop);
  try {
    const { createApp } = await loading;
    const app = await createApp(database.config, new NestLog(log));
    try {
      await app.init();
      // A start that cannot listen makes nobody: the password is shown by the start that makes it.
      await probe(database.config);
      // Before anybody can connect: whoever waits for the port may log in at once.
      const administrator = await ensureFirstAdministrator(database.config, app.get(UsersService, { strict: false }));
      await listen(app, database.config);
      announce(app, database.config, administrator, log);
      return await serve(app, database, log, signals);
    } finally {
      await app.close();
    }
  } finally {
    await database.close();
    log.info({ event: 'stopped' }, 'stopped');
  }
}

async function listen(app: NestExpressApplication, { server }: AppConfig): Promise<void> {
  try {
    await app.listen(server.listenPort, server.listenHost);
  } catch (error) {
    throw cannotListen(server, error);
  }
}

/** Listens for a moment, with nobody there to answer. Throws as `listen` does. */
async function probe({ server: { listenHost, listenPort } }: AppConfig): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(listenPort, listenHost), 'listening');
  } catch (error) {
    throw cannotListen({ listenHost, listenPort }, error);
  }
  await once(server.close(), 'close');
}

const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there: stop that one, or choose another port with LISTEN_ADDRESS',
  EACCES: 'this user may not: choose a port from 1024 up with LISTEN_ADDRESS',
  EADDRNOTAVAIL: 'this machine does not have that address: correct LISTEN_ADDRESS',
  ENOTFOUND: 'there is no such host: correct LISTEN_ADDRESS',
};

function cannotListen(
  { listenHost, listenPort }: Pick<AppConfig['server'], 'listenHost' | 'listenPort'>,
  cause: unknown,
): StartupError {
  const code = errorCode(cause);
  const advice = LISTEN_ADVICE[code] ?? 'correct LISTEN_ADDRESS';
  return new StartupError(`cannot listen on ${listenHost}:${listenPort} (${code}): ${advice}`, { cause });
}

/** What it says works from this moment on. */
function announce(
  app: NestExpressApplication,
  config: AppConfig,
  administrator: Administrator | null,
  log: Logger,
): void {
  const address = app.getHttpServer().address() as AddressInfo;
  if (administrator === null) log.warn('no ADMIN_PASSWORD is set, so no administrator is created');
  else if (!config.isProduction) process.stdout.write(banner(config, address, administrator));
  if (!process.stdout.isTTY) log.info({ event: 'listening', url: localUrl(address) }, 'listening');
}

async function serve(
  app: NestExpressApplication,
  database: OpenDatabase,
  log: Logger,
  { stop, hurry }: StopSignals,
): Promise<number> {
  const failure = await Promise.race([
    stopped(stop),
    uncaught(),
    database.ended.then(
      () => new Error('the embedded database has ended by itself; postgres.log in DATA_DIR says why'),
    ),
  ]);
  if (failure !== null) log.fatal({ err: failure }, 'stopping after a failure');
  app.get(Drain, { strict: false }).begin();
  const graceSeconds = failure === null ? database.config.server.shutdownGraceSeconds : 0;
  log.info(
    { event: 'draining', graceSeconds },
    'stopping: no new requests, those that run get their time; a second Ctrl-C or signal ends the wait at once',
  );
  const hasFinished = await drainServer(app.getHttpServer(), graceSeconds * 1000, hurry);
  if (!hasFinished) log.warn('requests were cut off that had not finished in time');
  return failure === null ? 0 : 1;
}

function stopped(stop: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve(null);
    stop.addEventListener('abort', () => {
      resolve(null);
    });
  });
}

/** After an error that nobody expected nothing about this process is certain, except what is in the database. */
function uncaught(): Promise<Error> {
  return new Promise((resolve) => {
    process.on('uncaughtException', resolve);
  });
}
