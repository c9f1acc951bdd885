import { describe, expect, test } from 'vitest';
import {
  hostName,
  hostSetting,
  judgeHost,
  type KnownHosts,
} from '../../../services/signaling/domain/hosts.ts';

const KNOWN: KnownHosts = {
  isAny: false,
  parents: ['.wild.example'],
  names: new Set(['calls.example', 'beijing-1', '[2001:db8::1]', '203.0.113.9']),
  isOwnAddress: (name) => name === '10.0.0.5' || name === '[fe80::1]',
};

describe('a Host is known', () => {
  test.each([
    ['localhost'],
    ['localhost:3001'],
    ['LocalHost:3001'],
    ['localhost.'],
    ['localhost.:3001'],
    ['localhost:'],
    ['127.0.0.1:3001'],
    ['127.9.8.7'],
    ['[::1]:3001'],
    ['[0:0:0:0:0:0:0:1]'],
    ['[::ffff:127.0.0.1]:3001'],
    ['calls.example'],
    ['a.wild.example:443'],
    ['CALLS.example.:443'],
    ['beijing-1:9101'],
    ['[2001:DB8::1]:3001'],
    ['[2001:db8:0:0::1]'],
    ['203.0.113.9'],
    ['10.0.0.5:9101'],
    ['[::ffff:a00:5]:9101'],
    ['[fe80::1]:3001'],
  ])('%j', (host) => {
    expect(judgeHost([host], KNOWN)).toBe('known');
  });

  test('where there is none: no browser asks so', () => {
    expect(judgeHost([], KNOWN)).toBe('known');
  });

  test('whatever it is, where every name is good', () => {
    const any = { ...KNOWN, isAny: true };
    for (const fields of [['evil.example'], ['a', 'b'], ['@']]) expect(judgeHost(fields, any)).toBe('known');
  });
});

describe('a Host is unknown', () => {
  test.each([
    ['evil.example:3001'],
    ['localhost.evil.example'],
    ['evil.localhost'],
    ['localhost..'],
    ['calls.example.evil.example'],
    ['evilcalls.example'],
    ['www.calls.example'],
    ['127.0.0.1.evil.example'],
    ['127.0.0.1.nip.io'],
    ['128.0.0.1'],
    ['126.255.255.255'],
    ['0.0.0.0:3001'],
    ['[::]:3001'],
    ['[::2]'],
    ['10.0.0.6'],
    ['203.0.113.8'],
    ['[2001:db8::2]'],
    ['xn--localhost-abc'],
  ])('%j', (host) => {
    expect(judgeHost([host], KNOWN)).toBe('unknown');
  });
});

describe('a Host is malformed', () => {
  test.each([
    [''],
    [' '],
    ['.'],
    [':3001'],
    ['localhost@evil.example'],
    ['evil.example@localhost'],
    ['localhost:3001@evil.example'],
    ['http://localhost'],
    ['localhost/evil'],
    ['localhost\\@evil.example'],
    ['localhost#evil'],
    ['localhost?evil'],
    ['localhost evil.example'],
    ['localhost,evil.example'],
    ['localhost:3001:3001'],
    ['localhost:+80'],
    ['localhost:65536'],
    ['[::1'],
    ['::1'],
    ['[::1]x'],
    ['[::1%25eth0]'],
    ['[127.0.0.1]'],
    ['127.0.0.256'],
    ['%6cocalhost'],
    ['l\u{f6}calhost'],
    ['localhost\u{0}'],
    ['localhost\n'],
    ['loc\talhost'],
  ])('%j', (host) => {
    expect(judgeHost([host], KNOWN)).toBe('malformed');
  });

  test('where there are two, even the same', () => {
    expect(judgeHost(['localhost', 'evil.example'], KNOWN)).toBe('malformed');
    expect(judgeHost(['localhost', 'localhost'], KNOWN)).toBe('malformed');
  });
});

test('a name has one spelling', () => {
  expect(['Calls.Example.:443', '[2001:DB8:0::1]', '[::ffff:10.0.0.5]:1', '0x7f.1'].map(hostName)).toEqual([
    'calls.example',
    '[2001:db8::1]',
    '10.0.0.5',
    '127.0.0.1',
  ]);
});

test('a setting is a name or an address without a port', () => {
  expect(['Calls.Example', '::1', '[::1]', '10.0.0.5', 'beijing_1'].map(hostSetting)).toEqual([
    'calls.example',
    '[::1]',
    '[::1]',
    '10.0.0.5',
    'beijing_1',
  ]);
  for (const text of [
    'calls.example:443',
    '[::1]:443',
    'https://calls.example',
    'a b',
    '*.example',
    '',
    '*',
    'fe80::1%eth0',
  ])
    expect(hostSetting(text), text).toBeUndefined();
});
