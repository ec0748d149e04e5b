import { describe, expect, it } from '@jest/globals';
import { HintLimit, hintText, type ProxyHint, ProxyHints } from './proxy-hints.js';

describe('hints about proxies', () => {
  it('come once a minute at most, each kind for itself', () => {
    let now = 0;
    const limit = new HintLimit(() => now);
    const passed = (): boolean[] =>
      (['forwardedHeaders', 'proxyProtocol'] as const).map((kind) => limit.passes({ kind }));
    expect(passed()).toEqual([true, true]);
    now = 59_999;
    expect(passed()).toEqual([false, false]);
    now = 60_000;
    expect(passed()).toEqual([true, true]);
  });

  it('are about peers that are not trusted', () => {
    const hints = new ProxyHints();
    const told: ProxyHint[] = [];
    hints.deliver = (hint) => void told.push(hint);
    const isTrusted = (peer: string): boolean => peer === '10.0.0.1';
    for (const peer of ['10.0.0.1', '10.0.0.1', undefined, '10.0.0.2', '10.0.0.3']) hints.forwardedBy(peer, isTrusted);
    expect(told).toEqual([{ kind: 'forwardedHeaders', peer: '10.0.0.2' }]);
  });

  it.each([
    ['10.42.1.17', 'from 10.42.1.17 are', '10.42.1.0/24'],
    ['::ffff:10.42.1.17', 'from 10.42.1.17 are', '10.42.1.0/24'],
    ['2001:db8:1:2::7', 'from 2001:db8:1:2::7 are', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'from fe80::1 are', 'fe80::/64'],
  ])('name TRUSTED_PROXIES and the network of %s', (peer, start, network) => {
    const text = hintText({ kind: 'forwardedHeaders', peer });
    expect(text).toContain(start);
    expect(text).toContain('TRUSTED_PROXIES');
    expect(text).toContain(network);
  });
});
