import { BlockList, isIP } from 'node:net';
import type { ProxyConfig } from '../config/proxies.js';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };
const NETWORK = /^([0-9a-f:.]+)\/(\d{1,3})$/i;
const WITH_PORT = /^(\[[^\]]+\]|[^:]+):(\d+)$/;

/** Which requests go through which proxy. */
export class Proxies {
  readonly #all: boolean;
  readonly #networks = new BlockList();
  readonly #hosts: readonly { readonly name: string; readonly port: string | null }[];

  constructor(private readonly config: ProxyConfig) {
    const entries = config.noProxy
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== '');
    this.#all = entries.includes('*');
    this.#hosts = entries.filter((entry) => !this.#addNetwork(entry)).map(hostAndPort);
  }

  /** The proxy's URL, which may hold a password; `null` where the request goes there by itself. */
  for({ protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>): string | null {
    const proxy = protocol === 'https:' ? this.config.https : this.config.http;
    if (proxy === null || this.#goesDirectly(bare(hostname), port || (DEFAULT_PORTS[protocol] ?? ''))) return null;
    return proxy;
  }

  #goesDirectly(host: string, port: string): boolean {
    // As Go has it: a proxy's localhost is another machine.
    if (this.#all || host === 'localhost' || host.endsWith('.localhost')) return true;
    const family = isIP(host);
    if (family !== 0 && (LOOPBACK.check(host, familyOf(host)) || this.#networks.check(host, familyOf(host))))
      return true;
    return this.#hosts.some((entry) => {
      if (entry.port !== null && entry.port !== port) return false;
      return host === entry.name || (family === 0 && host.endsWith(`.${entry.name}`));
    });
  }

  #addNetwork(entry: string): boolean {
    const [, address = '', bits = ''] = NETWORK.exec(entry) ?? [];
    if (isIP(address) === 0 || Number(bits) > (isIP(address) === 6 ? 128 : 32)) return false;
    this.#networks.addSubnet(address, Number(bits), familyOf(address));
    return true;
  }
}

/** Without a proxy. */
export const DIRECT = new Proxies({ http: null, https: null, noProxy: '' });

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** `example.com`, `.example.com` and `*.example.com` are the domain and all below it, as curl has it. */
function hostAndPort(entry: string): { name: string; port: string | null } {
  const [, host = entry, port = null] = WITH_PORT.exec(entry) ?? [];
  return { name: bare(host).replace(/^\*?\./, ''), port };
}

/** Without the brackets that a URL puts around IPv6. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
