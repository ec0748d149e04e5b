import { openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  end,
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  ready,
  scratchDirectory,
  start,
} from '../support/processes.js';

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
  const location = `
      proxy_pass http://nodes;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_next_upstream error timeout;
      proxy_connect_timeout 2s;`;
  const { url } = await startNginx(upstream, location);
  return url;
}

/** A way to a server on which every call is written down: method and address of each, in order. */
export async function observe(target: string): Promise<{ url: string; calls: () => string[] }> {
  // The signature of a request covers the host that it was sent to.
  const location = `
      proxy_pass ${target};
      proxy_set_header Host $http_host;
      access_log calls.log calls;`;
  const { url, directory } = await startNginx(`log_format calls '$request_method $request_uri';`, location);
  const log = path.join(directory, 'calls.log');
  return { url, calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) };
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
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 900s;
      proxy_send_timeout 900s;${location}
    }
  }
}
`,
  );
  const output = openSync(log, 'a');
  const child = start(needProgram('nginx'), ['-p', `${directory}/`, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', output, output],
  });
  onFileEnd(() => end(child));
  await ready(child, log, () => isListening(port));
  return { url: `http://127.0.0.1:${port}`, directory };
}
