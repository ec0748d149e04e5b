import type pg from 'pg';

/** Values of libpq for which a server without TLS is good enough. pg takes both for `verify-full`. */
const OPTIONAL = /([?&]sslmode=)(?:prefer|allow)(?=&|$)/;
/** What a server without TLS answers to the question for it. */
const NONE = 'N';

type Config = string | pg.ClientConfig | undefined;
type Listener = (this: unknown, answer: Buffer) => void;

/** What pg's own connection has beside what its types say. */
interface Internals {
  connect(port: number, host: string): void;
  attachListeners(stream: unknown): void;
}

/** Whether the URL has `sslmode=prefer` or `allow`. */
export function wantsTlsIfOffered(config: Config): boolean {
  return OPTIONAL.test(urlOf(config));
}

/** The same with a mode that pg has: encrypted, and unverified as libpq leaves it in these modes. */
export function withUnverifiedTls(config: Config): Config {
  if (!wantsTlsIfOffered(config)) return config;
  const connectionString = urlOf(config).replace(OPTIONAL, '$1no-verify');
  return typeof config === 'string' ? connectionString : { ...config, connectionString };
}

/** Has the connection, which is not made yet, go on without TLS where the server has none. */
export function goOnWithoutTls(connection: pg.Connection): void {
  const internals = connection as unknown as Internals;
  const connect = internals.connect.bind(connection);
  internals.connect = (port, host) => {
    connect(port, host);
    const { stream } = connection;
    const [upgrade] = stream.listeners('data') as Listener[];
    stream.removeAllListeners('data');
    stream.once('data', (answer: Buffer) => {
      if (answer.toString() !== NONE) {
        upgrade?.call(stream, answer);
        return;
      }
      internals.attachListeners(stream);
      connection.emit('sslconnect'); // the client says who it is now, over whichever there is
    });
  };
}

function urlOf(config: Config): string {
  return (typeof config === 'string' ? config : config?.connectionString) ?? '';
}
