import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AppConfig } from '../config/config.js';
import { errorCode } from '../config/error-code.js';
import type { ListenAddress } from '../config/parsers.js';
import { StartupError } from '../config/startup-error.js';

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there: stop that one, or choose another port with',
  EACCES: 'this user may not: choose a port from 1024 up with',
  EADDRNOTAVAIL: 'this machine does not have that address: correct',
  ENOTFOUND: 'there is no such host: correct',
};

const SETTING = 'LISTEN_ADDRESS';

/** Throws `StartupError`. */
export async function listen(app: NestExpressApplication, { server }: AppConfig): Promise<void> {
  try {
    await app.listen(server.listenPort, server.listenHost);
  } catch (error) {
    throw cannotListen(SETTING, { host: server.listenHost, port: server.listenPort }, error);
  }
}

/** Listens for a moment without answering; gives the address that it got. Throws as `listen` does. */
export async function probe({ server: { listenHost, listenPort } }: AppConfig): Promise<AddressInfo> {
  const server = createServer();
  try {
    await once(server.listen({ port: listenPort, host: listenHost, exclusive: true }), 'listening');
  } catch (error) {
    throw cannotListen(SETTING, { host: listenHost, port: listenPort }, error);
  }
  const address = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return address;
}

/** `setting` is the one that has the address. */
export function cannotListen(setting: string, { host, port }: ListenAddress, cause: unknown): StartupError {
  const code = errorCode(cause);
  const advice = `${ADVICE[code] ?? 'correct'} ${setting}`;
  return new StartupError(`cannot listen on ${host}:${port} (${code}): ${advice}`, { cause });
}
