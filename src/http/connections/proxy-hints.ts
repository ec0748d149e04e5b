import { isIPv6 } from 'node:net';
import { Injectable, Logger } from '@nestjs/common';
import ipaddr from 'ipaddr.js';

/** A mistake in the configuration of a proxy, seen from here. */
export interface ProxyHint {
  readonly kind: 'forwardedHeaders' | 'proxyProtocol';
  /** Address of the connection: nothing that a client may choose. */
  readonly peer: string;
}

const INTERVAL_MS = 60_000;

/** Lets one of each kind through a minute: any client can cause them. */
export class HintLimit {
  private readonly nextAt = new Map<ProxyHint['kind'], number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  passes({ kind }: Pick<ProxyHint, 'kind'>): boolean {
    const now = this.now();
    if (now < (this.nextAt.get(kind) ?? -Infinity)) return false;
    this.nextAt.set(kind, now + INTERVAL_MS);
    return true;
  }
}

/** Tells the operator of a proxy that is not set up as this registry expects it, once a minute at most. */
@Injectable()
export class ProxyHints {
  private readonly logger = new Logger('Proxy');
  private readonly limit = new HintLimit();
  private trustedPeer: string | undefined;

  /** Of a worker: to its primary, which speaks for all of them. */
  deliver = (hint: ProxyHint): void => {
    this.logger.warn(hintText(hint));
  };

  note(kind: ProxyHint['kind'], peer: string | undefined): void {
    if (peer !== undefined && this.limit.passes({ kind })) this.deliver({ kind, peer });
  }

  /** A request with X-Forwarded-* from this peer; runs for each that came through a proxy. */
  forwardedBy(peer: string | undefined, isTrusted: (peer: string) => boolean): void {
    if (peer === undefined || peer === this.trustedPeer) return;
    if (isTrusted(peer)) this.trustedPeer = peer;
    else this.note('forwardedHeaders', peer);
  }
}

export function hintText({ kind, peer }: ProxyHint): string {
  const address = ipaddr.process(peer.replace(/%.*$/, '')).toString();
  switch (kind) {
    case 'forwardedHeaders':
      return (
        `X-Forwarded-* headers from ${address} are ignored: TRUSTED_PROXIES does not name it. If it is your proxy, add ` +
        `the address or its network (${networkAround(address)}); until then all its clients are one, also for limits ` +
        'and wrong passwords, and tokens are sent for to the wrong address'
      );
    case 'proxyProtocol':
      return (
        `a connection from ${address} begins with the PROXY protocol, which this registry does not speak: switch it ` +
        'off at the load balancer, or put a proxy between that speaks it and sends X-Forwarded-For'
      );
  }
}

/** What a cluster or a subnet gives its proxies addresses of, as a rule. */
function networkAround(address: string): string {
  const bits = isIPv6(address) ? 64 : 24;
  const cidr = `${address}/${String(bits)}`;
  const network = isIPv6(address) ? ipaddr.IPv6.networkAddressFromCIDR(cidr) : ipaddr.IPv4.networkAddressFromCIDR(cidr);
  return `${network.toString()}/${String(bits)}`;
}
