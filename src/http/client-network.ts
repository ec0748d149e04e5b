import ipaddr from 'ipaddr.js';

/** Whom an address belongs to: an IPv6 customer has a whole /64, and one that moves within it is still the same client. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
