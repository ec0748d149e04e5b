import { chownSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, freePort, isListening, needProgram, onFileEnd, ready, scratchDirectory, start } from './processes.js';
import { unprivilegedUser } from './postgres.js';

export interface Pooler {
  /** The address of a database that goes through the pooler. */
  through: (databaseUrl: string) => string;
}

/**
 * A PgBouncer in transaction mode before the server that the URL names, with the settings of its package else: start-up
 * parameters that it does not know are refused. `poolSize` are its own connections for each database, `clients` those that it takes in all.
 */
export async function startPgBouncer(serverUrl: string, poolSize: number, clients = 500): Promise<Pooler> {
  const home = scratchDirectory('pgbouncer');
  const server = new URL(serverUrl);
  const port = await freePort();
  const users = path.join(home, 'users');
  const settings = path.join(home, 'pgbouncer.ini');
  writeFileSync(users, `"${server.username}" "${server.password}"\n`);
  writeFileSync(
    settings,
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = ${clients}
`,
  );
  const user = unprivilegedUser();
  if (user.uid !== undefined && user.gid !== undefined)
    for (const file of [home, users, settings]) chownSync(file, user.uid, user.gid);
  const log = path.join(home, 'log');
  const output = openSync(log, 'a');
  const child = start(needProgram('pgbouncer'), [settings], { ...user, cwd: home, stdio: ['ignore', output, output] });
  onFileEnd(() => end(child));
  await ready(child, log, () => isListening(port));
  return {
    through: (databaseUrl) => {
      const url = new URL(databaseUrl);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
  };
}
