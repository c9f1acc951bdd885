import { describe, expect, test } from 'vitest';

import { planNodes } from '../../../services/cluster/node-plan.ts';
import { parseOptions } from '../../../services/cluster/options.ts';

const parse = (line: string, env: NodeJS.ProcessEnv = {}) =>
  parseOptions(line.split(' ').filter(Boolean), env);

describe('options of npm start', () => {
  test('without any, two nodes on the usual ports share whatever Redis is found', () => {
    expect(parse('')).toEqual({ nodes: 2, backplane: 'found', host: '127.0.0.1', port: 3001, opsPort: 9101 });
  });

  test('--redis beats REDIS_URL, --memory beats REDIS_URL, and an empty REDIS_URL is none', () => {
    const env = { REDIS_URL: 'redis://one' };
    expect(parse('', env)).toMatchObject({ backplane: { redisUrl: 'redis://one' } });
    expect(parse('--redis redis://two', env)).toMatchObject({ backplane: { redisUrl: 'redis://two' } });
    expect(parse('--memory', env)).toMatchObject({ backplane: 'memory' });
    expect(parse('', { REDIS_URL: '' })).toMatchObject({ backplane: 'found' });
  });

  test('--regions beats REDIS_URL, and puts Beijing and Shanghai 30 ms apart unless told otherwise', () => {
    const env = { REDIS_URL: 'redis://one' };
    expect(parse('--regions', env)).toMatchObject({ backplane: { rttMs: 30 } });
    expect(parse('--regions --rtt 200')).toMatchObject({ backplane: { rttMs: 200 } });
  });

  test.each([
    ['--nodes 0', /--nodes "0" .* from 1 to 16/],
    ['--nodes 17', /--nodes "17" .* from 1 to 16/],
    ['--nodes two', /--nodes "two"/],
    ['--nodes', /--nodes/],
    ['--nodse 3', /--nodse.*--help/],
    ['three', /three.*--help/],
    ['--memory --redis redis://x', /exclude each other/],
    ['--regions --memory', /exclude each other/],
    ['--rtt 30', /--rtt goes with --regions/],
    ['--regions --rtt -1', /--rtt "-1" .* from 0 to 2000|--rtt/],
    ['--redis localhost:6379', /--redis is no address.*redis:\/\/host:port/],
    ['--port 65535', /--port "65535" .* to 65534/],
    ['--port 9100', /overlap/],
  ])('%s is refused in one line that names it', (line, message) => {
    const attempt = () => parse(line);
    expect(attempt).toThrow(message);
    expect(attempt).not.toThrow(/\n/);
  });
});

describe('the plan of nodes', () => {
  test('names alternate between the regions, and ports count up', () => {
    const options = parse('--nodes 5');
    if (options === 'help') throw new Error('not asked for help');
    const plans = planNodes(options);
    expect(plans.map((plan) => plan.nodeId)).toEqual([
      'beijing-1',
      'shanghai-1',
      'beijing-2',
      'shanghai-2',
      'beijing-3',
    ]);
    expect(plans.map((plan) => plan.region)).toEqual([
      'beijing',
      'shanghai',
      'beijing',
      'shanghai',
      'beijing',
    ]);
    expect(plans.map((plan) => [plan.port, plan.opsPort])).toEqual(
      [3001, 3002, 3003, 3004, 3005].map((port) => [port, port + 6100]),
    );
  });
});
