import { copyFileSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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
} from '../support/processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIG = path.join(ROOT, 'config', 'nginx');
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * A load balancer in front of the nodes; resolves with its URL. It keeps nothing of a body back. A node that refuses
 * the connection is passed over; a request that a node has got goes to another one only when it is idempotent.
 */
export async function balance(ports: readonly number[]): Promise<string> {
  const upstream = `upstream nodes {
    ${ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join('\n    ')}
    keepalive 64;
  }`;
  const { url } = await startNginx(upstream, 'proxy_pass http://nodes;');
  return url;
}

/**
 * The load balancer of docker-compose.yml, with its own files but for the addresses of the nodes and its own, and with
 * the certificate that its set-up script makes. Resolves with its URL and the certificate.
 */
export async function startStackProxy(ports: readonly number[]): Promise<{ url: string; certificate: string }> {
  const directory = scratchDirectory('stack');
  const at = (name: string): string => path.join(directory, name);
  const port = await freePort();
  for (const name of ['nginx.conf', 'proxy.conf']) copyFileSync(path.join(CONFIG, name), at(name));
  writeFileSync(at('listen.conf'), configured('listen.conf').replace('8443', `127.0.0.1:${port}`));
  writeFileSync(at('nodes.conf'), onLoopback(configured('nodes.conf'), ports));
  await run('sh', [path.join(ROOT, 'scripts/compose-setup.sh')], {
    env: { ...process.env, ENV_FILE: at('env'), TLS_DIRECTORY: at('tls') },
  });
  await run('nginx', ['-t', '-p', `${directory}/`, '-c', at('nginx.conf'), '-e', 'stderr']);
  await serve(directory, at('log'), () => isListening(port));
  return { url: `https://localhost:${port}`, certificate: readFileSync(at('tls/tls.crt'), 'utf8') };
}

function configured(name: string): string {
  return readFileSync(path.join(CONFIG, name), 'utf8');
}

/** No name is looked up: Debian's nginx is older than `resolve`. */
function onLoopback(text: string, ports: readonly number[]): string {
  const nodes = text.replace(/^resolver .*$/m, '').replace(/node-(\d+):8080 resolve/g, (_, number: string) => {
    return `127.0.0.1:${ports[Number(number) - 1] ?? 0}`;
  });
  if (/resolve|node-/.test(nodes.replace(/^#.*$/gm, ''))) throw new Error(`not understood: ${nodes}`);
  return nodes;
}

async function serve(directory: string, log: string, answers: () => Promise<boolean>): Promise<void> {
  const output = openSync(log, 'a');
  const args = ['-p', `${directory}/`, '-c', path.join(directory, 'nginx.conf'), '-e', 'stderr'];
  const child = start(needProgram('nginx'), args, { stdio: ['ignore', output, output] });
  onFileEnd(() => end(child));
  await ready(child, log, answers);
}

/** A way to a server on which every call is written down: method and address of each, in order. */
export async function observe(target: string): Promise<{ url: string; calls: () => string[] }> {
  // The signature of a request covers the host that it was sent to, which proxy.conf hands on.
  const location = `proxy_pass ${target}; access_log calls.log calls;`;
  const { url, directory } = await startNginx(`log_format calls '$request_method $request_uri';`, location);
  const log = path.join(directory, 'calls.log');
  return { url, calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) };
}

/** A proxy that takes bodies up to so many bytes, and tells how each request with a body ended. */
export async function limitBodies(
  target: string,
  bytes: number,
): Promise<{ url: string; answers: () => { method: string; status: number; sent: number }[] }> {
  const location = `proxy_pass ${target}; client_max_body_size ${bytes}; access_log bodies.log bodies;`;
  const format = `log_format bodies '$request_method $status $http_content_length';`;
  const { url, directory } = await startNginx(format, location);
  const read = () => readFileSync(path.join(directory, 'bodies.log'), 'utf8').split('\n').filter(Boolean);
  const answers = () =>
    read().map((line) => {
      const [method = '', status, sent] = line.split(' ');
      return { method, status: Number(status), sent: Number(sent) || 0 };
    });
  return { url, answers };
}

async function startNginx(context: string, location: string): Promise<{ url: string; directory: string }> {
  const directory = scratchDirectory('nginx');
  const port = await freePort();
  const log = path.join(directory, 'error.log');
  writeFileSync(
    path.join(directory, 'nginx.conf'),
    `daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 2048; }
http {
  access_log off;
  ${TEMPORARY.map((name) => `${name}_temp_path temporary-${name};`).join('\n  ')}
  ${context}
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    keepalive_requests 1000000;
    large_client_header_buffers 4 64k;
    location / {
      ${location}
      include ${path.join(CONFIG, 'proxy.conf')};
    }
  }
}
`,
  );
  await serve(directory, log, () => isListening(port));
  return { url: `http://127.0.0.1:${port}`, directory };
}
