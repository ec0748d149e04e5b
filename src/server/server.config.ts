import { LOG_LEVELS } from '../config/config-values.js';
import * as p from '../config/parsers.js';
import { optional, setting, type Setting } from '../config/setting.js';

/** Each is a process of 100 MB or more. */
const MAXIMUM_WORKERS = 64;

export const SERVER_SETTINGS = {
  LISTEN_ADDRESS: setting(
    ['server', 'listen_address'],
    p.listenAddress,
    '0.0.0.0:8080',
    'Address and port to listen on; port 0 chooses a free one.',
  ),
  PUBLIC_URL: optional(
    ['server', 'public_url'],
    p.origin('https://registry.example.com'),
    'https://registry.example.com',
    'URL of the registry for clients; the default is the host of each request.',
  ),
  TRUSTED_PROXIES: optional(
    ['server', 'trusted_proxies'],
    p.list(p.proxy),
    '10.0.0.0/8,loopback',
    'Proxies whose X-Forwarded-For, -Host and -Proto are trusted: addresses, networks, loopback, linklocal or uniquelocal.',
  ),
  TLS_CERT_FILE: optional(
    ['server', 'tls_cert_file'],
    p.text,
    '/etc/aerugo/tls/tls.crt',
    'Certificate of this host and its chain, in PEM; with it the port serves only HTTPS. A renewed file is loaded within seconds, or at SIGHUP.',
  ),
  TLS_KEY_FILE: optional(
    ['server', 'tls_key_file'],
    p.text,
    '/etc/aerugo/tls/tls.key',
    'Private key of that certificate, in PEM without a passphrase.',
  ),
  LOG_LEVEL: setting(['server', 'log_level'], p.oneOf(LOG_LEVELS), 'info', `One of ${LOG_LEVELS.join(', ')}.`),
  DATA_DIR: setting(
    ['server', 'data_dir'],
    p.text,
    './data',
    'Directory of the embedded database, generated secrets and blobs on the filesystem.',
  ),
  SHUTDOWN_DELAY_SECONDS: setting(
    ['server', 'shutdown_delay_seconds'],
    p.duration(0, 600),
    '0',
    'Time after SIGTERM in which new requests are served while /readyz answers 503, so that load balancers stop before the port closes.',
  ),
  SHUTDOWN_GRACE_SECONDS: setting(
    ['server', 'shutdown_grace_seconds'],
    p.duration(0, 3600),
    '30',
    'Time for running requests and uploads after that.',
  ),
  WORKERS: setting(
    ['server', 'workers'],
    p.countOrAuto(1, MAXIMUM_WORKERS),
    '1',
    'Processes that share the port; auto is one per processor, limited by connections and upload memory.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
