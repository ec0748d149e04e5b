import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { Proxies } from './proxies.js';

type Done = (error: Error | null, stream: Duplex) => void;

/** For requests to `http://` of one host. */
export function httpAgentFor(url: URL, proxies: Proxies, options: AgentOptions): HttpAgent {
  return new HttpAgent(through(proxies.for(url), options));
}

/** What each new connection is made with beside what was given at the start. */
export type Trust = () => Pick<ConnectionOptions, 'secureContext'>;

/**
 * For requests to `https://` of any host: each connection is made through the proxy or past it. Node's own agent makes
 * the tunnel, but knows neither domains without a dot nor networks in NO_PROXY.
 */
export class OutgoingHttpsAgent extends HttpsAgent {
  readonly #direct: HttpsAgent;

  constructor(
    private readonly proxies: Proxies,
    options: AgentOptions,
    private readonly trust: Trust = () => ({}),
  ) {
    super(through(proxies.for(ANYWHERE), options));
    this.#direct = new HttpsAgent(options);
  }

  override createConnection(options: ConnectionOptions, done: Done): Duplex | null | undefined {
    const { host, port } = options;
    const trusting = { ...options, ...this.trust() };
    const proxy = this.proxies.for({ protocol: 'https:', hostname: host ?? 'localhost', port: String(port ?? '') });
    if (proxy === null) return this.#direct.createConnection(trusting, done);
    super.createConnection(trusting, done); // which gets the connection once the tunnel stands
    return undefined;
  }

  override destroy(): void {
    super.destroy();
    this.#direct.destroy();
  }
}

type Create = HttpAgent['createConnection'];

/** As `create`, and tells of each connection: at once, or when its tunnel through a proxy stands. */
export function followingConnections(create: Create, follow: (socket: Socket) => void): Create {
  return (options, done) => {
    const socket = create(options, (error, tunnelled) => {
      if (error === null && tunnelled instanceof Socket) follow(tunnelled);
      done?.(error, tunnelled);
    });
    if (socket instanceof Socket) follow(socket);
    return socket;
  };
}

/** No name that anything exempts. */
const ANYWHERE = new URL('https://anywhere.invalid');

/** For one request to this URL and those like it. */
export function agentFor(url: URL, proxies: Proxies, options: AgentOptions, trust?: Trust): HttpAgent {
  return url.protocol === 'http:'
    ? httpAgentFor(url, proxies, options)
    : new OutgoingHttpsAgent(proxies, options, trust);
}

function through(proxy: string | null, options: AgentOptions): AgentOptions {
  return proxy === null ? options : { ...options, proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
}
