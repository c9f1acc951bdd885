import { expect, test } from 'vitest';
import { canonicalAddress, isPrivate, networkOf } from '../../../services/signaling/domain/address.ts';

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['203.0.113.9:51022', '203.0.113.9'],
  [' "203.0.113.9:51022" ', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['[::ffff:203.0.113.9]:80', '203.0.113.9'],
  ['2001:DB8:0:0::7', '2001:db8::7'],
  ['[2001:db8::7]:51022', '2001:db8::7'],
  ['[2001:db8::7]', '2001:db8::7'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::1', '::1'],
  ['', undefined],
  ['unknown', undefined],
  ['203.0.113', undefined],
  ['0313.0.0.1', undefined],
  ['2001:db8::7:51022:1:2:3:4:5', undefined],
  ['1'.repeat(9_000), undefined],
])('%j is the address %s', (text, expected) => {
  expect(canonicalAddress(text)).toBe(expected);
});

test('an IPv6 /64 is one network, and an IPv4 address is one', () => {
  expect(networkOf('2001:db8::7')).toBe(networkOf('2001:db8::ffff:1'));
  expect(networkOf('2001:db8::7')).not.toBe(networkOf('2001:db8:0:1::7'));
  expect(networkOf('203.0.113.9')).not.toBe(networkOf('203.0.113.10'));
});

test.each([
  ['127.0.0.1', true],
  ['10.0.0.7', true],
  ['192.168.1.1', true],
  ['fd00::1', true],
  ['fd00::/64', true],
  ['203.0.113.9', false],
  ['2001:4860::/64', false],
  ['unknown', false],
])('%s is private: %s', (address, expected) => {
  expect(isPrivate(address)).toBe(expected);
});
