import { chownSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unprivilegedUser } from './postgres.js';
import {
  end,
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  ready,
  run,
  scratchDirectory,
  start,
} from './processes.js';

export interface ForwardProxy {
  /** With a name and a password. */
  url: string;
  /** The same without. */
  bareUrl: string;
  password: string;
  /** What it was asked for, such as `CONNECT s3.test:443`, in order. */
  requests: () => string[];
}

const USER = 'worker';
const PASSWORD = 'proxy-hunter22';
const HELPER = '/usr/lib/squid/basic_ncsa_auth';

/** Squid, which wants a password and alone knows where these names are: this machine. Ended with the spec file. */
export async function startForwardProxy(names: readonly string[]): Promise<ForwardProxy> {
  const home = scratchDirectory('squid');
  const port = await freePort();
  const file = (name: string): string => path.join(home, name);
  const hashed = (await run('openssl', ['passwd', '-apr1', PASSWORD])).stdout.trim();
  writeFileSync(file('users'), `${USER}:${hashed}\n`);
  writeFileSync(file('hosts'), names.map((name) => `127.0.0.1 ${name}\n`).join(''));
  writeFileSync(file('access'), '');
  writeFileSync(
    file('squid.conf'),
    `http_port 127.0.0.1:${port}
hosts_file ${file('hosts')}
auth_param basic program ${HELPER} ${file('users')}
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
logformat asked %rm %ru
access_log stdio:${file('access')} logformat=asked
cache_log ${file('cache.log')}
pid_filename none
coredump_dir ${home}
pinger_enable off
shutdown_lifetime 0 seconds
`,
  );
  const user = unprivilegedUser();
  if (user.uid !== undefined && user.gid !== undefined)
    for (const each of [home, ...['users', 'hosts', 'access', 'squid.conf'].map(file)])
      chownSync(each, user.uid, user.gid);
  const log = file('log');
  const output = openSync(log, 'a');
  const child = start(needProgram('squid'), ['-N', '-f', file('squid.conf')], {
    ...user,
    cwd: home,
    stdio: ['ignore', output, output],
  });
  onFileEnd(() => end(child));
  await ready(child, log, () => isListening(port));
  return {
    url: `http://${USER}:${PASSWORD}@127.0.0.1:${port}`,
    bareUrl: `http://127.0.0.1:${port}`,
    password: PASSWORD,
    requests: () => readFileSync(file('access'), 'utf8').split('\n').filter(Boolean),
  };
}
