import { describe, expect, test } from 'vitest';
import { type ConfigError, parseConfig } from '../../../services/signaling/config.ts';

function faults(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    return (error as ConfigError).faults;
  }
  return [];
}

test('an empty variable counts as absent', () => {
  expect(parseConfig({ AUTH: 'open', PORT: '', REDIS_URL: '' })).toMatchObject({
    clients: { port: 3001 },
    redisUrl: undefined,
  });
});

test('every fault is named at once, and no value is printed', () => {
  const environment = {
    AUTH: 'secret-a',
    PORT: '70000',
    STUN_URLS: 'http://secret-b',
    ALLOWED_ORIGINS: 'secret-c',
    LOG_LEVEL: 'secret-d',
  };
  expect(
    faults(environment)
      .map((fault) => fault.split(' ')[0])
      .sort(),
  ).toEqual(Object.keys(environment).sort());
  expect(faults(environment).join()).not.toContain('secret');
});

test('AUTH must be said', () => {
  expect(faults({})).toEqual(['AUTH must be "open": this version checks no tokens yet']);
});

test('production does not start with an open door', () => {
  expect(faults({ AUTH: 'open', NODE_ENV: 'production' })).toEqual([
    expect.stringContaining('NODE_ENV=production'),
  ]);
});

test('D8: a node id of exactly 20 characters is made longer', () => {
  expect(parseConfig({ AUTH: 'open', NODE_ID: 'a'.repeat(20) }).nodeId).toBe(`${'a'.repeat(20)}-`);
});

describe('REDIS_URL', () => {
  test.each(['redis://h', 'rediss://u:p@h:1', 'redis+sentinel://h1,h2/m', 'redis+cluster://h1:1,h2:2'])(
    'takes %s',
    (url) => {
      expect(parseConfig({ AUTH: 'open', REDIS_URL: url }).redisUrl).toBe(url);
    },
  );
  test.each(['h:6379', 'http://h', 'redis+other://h'])('refuses %s', (url) => {
    expect(faults({ AUTH: 'open', REDIS_URL: url })).toHaveLength(1);
  });
});

describe('ADMIN_TOKEN', () => {
  test('is off by default, and taken from 32 characters on', () => {
    expect(parseConfig({ AUTH: 'open' }).adminToken).toBeUndefined();
    expect(parseConfig({ AUTH: 'open', ADMIN_TOKEN: 'a'.repeat(32) }).adminToken).toBe('a'.repeat(32));
  });
  test.each(['guessable', 'a'.repeat(31), `${'a'.repeat(20)} ${'b'.repeat(20)}`])(
    'refuses %s, and does not print it',
    (token) => {
      const [fault, ...others] = faults({ AUTH: 'open', ADMIN_TOKEN: token });
      expect(fault).toMatch(/^ADMIN_TOKEN must/);
      expect(others).toEqual([]);
      expect(fault).not.toContain(token);
    },
  );
});

test('DRAIN_MS is a number of milliseconds, from 0 on', () => {
  expect(parseConfig({ AUTH: 'open' }).drainMs).toBe(25_000);
  expect(parseConfig({ AUTH: 'open', DRAIN_MS: '0' }).drainMs).toBe(0);
  for (const wrong of ['-1', '2.5', '25s'])
    expect(faults({ AUTH: 'open', DRAIN_MS: wrong })).toEqual([expect.stringMatching(/^DRAIN_MS /)]);
});
