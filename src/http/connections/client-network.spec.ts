import { expect, it } from '@jest/globals';
import { ClientNetworks, networkOf, withoutPorts } from './client-network.js';

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3::4', '8193:3512:1:2'],
  ['2001:db8:1:2::', '8193:3512:1:2'],
  ['fe80::1%eth0', '65152:0:0:0'],
  ['', 'unknown'],
  ['made-up-1', 'unknown'],
  ['203.0.113.7:80\r\nDEL x', 'unknown'],
])('%j is of the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:51234', '203.0.113.7'],
  ['[2001:db8::1]:51234', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['made-up, 203.0.113.7:1,10.0.0.1:2', 'made-up, 203.0.113.7, 10.0.0.1'],
  ['203.0.113.7:', '203.0.113.7:'],
  ['"203.0.113.7:1"', '"203.0.113.7:1"'],
])('%s names the addresses %s', (text, addresses) => {
  expect(withoutPorts(text)).toBe(addresses);
});

it('knows networks by either form of an address, and nobody by what is none', () => {
  const networks = new ClientNetworks(['10.0.0.0/8', '2001:db8::/32']);
  const all = ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::7', '11.0.0.1', '10.1.2.3:80', '', undefined];
  expect(all.map((address) => networks.has(address))).toEqual([true, true, true, false, false, false, false]);
});
