import ipaddr from 'ipaddr.js';

type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** Whom an address belongs to: an IPv6 customer has a whole /64, and one that moves within it is still the same client. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
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
