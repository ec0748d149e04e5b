import ipaddr from 'ipaddr.js';

type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** One for all that is no address: otherwise invented addresses would count as different clients. */
const UNKNOWN = 'unknown';

/** What some proxies write: `203.0.113.7:51234`, `[2001:db8::1]:51234`, `[2001:db8::1]`. */
const WITH_PORT = /^\s*(?:\[(?<v6>[^\]]+)\](?::\d+)?|(?<v4>\d+(?:\.\d+){3}):\d+)\s*$/;

/**
 * `X-Forwarded-For` without the ports that some proxies add (Azure's, for one), by which each connection would be
 * another client, and a trusted proxy none.
 */
export function withoutPorts(forwardedFor: string): string {
  if (!forwardedFor.includes(':')) return forwardedFor;
  const addresses = forwardedFor.split(',').map((text) => {
    const { v4, v6 } = WITH_PORT.exec(text)?.groups ?? {};
    return v4 ?? v6 ?? text.trim();
  });
  return addresses.join(', ');
}

/** Whom an address belongs to: an IPv6 customer has a whole /64, and one that moves within it is still the same client. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return UNKNOWN;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}

/** Networks as settings name them: `10.0.0.0/8`, or one address. */
export class ClientNetworks {
  private readonly networks: readonly Network[];

  constructor(texts: readonly string[]) {
    this.networks = texts.map((text) => {
      if (text.includes('/')) return ipaddr.parseCIDR(text);
      const address = ipaddr.parse(text);
      return [address, address.kind() === 'ipv4' ? 32 : 128] as unknown as Network;
    });
  }

  has(address: string | undefined): boolean {
    if (this.networks.length === 0 || address === undefined || !ipaddr.isValid(address)) return false;
    const client = ipaddr.process(address);
    return this.networks.some((network) => network[0].kind() === client.kind() && client.match(network));
  }
}
