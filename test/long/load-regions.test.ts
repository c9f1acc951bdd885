import { expect, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';
import { startLoad } from '../support/load-run.ts';

test.skipIf(!capabilities.redisServer)(
  'a link that is cut under load holds up those across, loses nothing, and is not noticed at home',
  async () => {
    const load = startLoad([
      ...[
        'regions',
        '--rate',
        '60',
        '--duration',
        '20s',
        '--connections',
        '24',
        '--cut',
        '9s',
        '--jitter',
        '0',
      ],
    ]);
    await load.ended;
    const { signals, sessions, latencies, phases, targets } = load.result();
    expect(targets.map(({ region }) => region)).toEqual(['beijing', 'shanghai']);
    expect(phases.map(({ name }) => name)).toEqual(['ramp', 'steady', 'link cut', 'after', 'rest']);
    expect(signals).toMatchObject({ lost: 0, doubled: 0, reordered: 0, misrouted: 0, named: 0 });
    expect(signals.delivered).toBe(signals.expected);
    // Those across went to the region in which their room lives; nobody at home was sent anywhere.
    expect(sessions.resumed).toBeGreaterThan(0);
    expect(sessions.resumed).toBeLessThanOrEqual(6);
    expect(latencies.relay_region?.maxMs).toBeGreaterThan(3_000);
    expect(latencies.relay_local?.maxMs).toBeLessThan(3_000);
  },
);
