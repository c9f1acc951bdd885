import { afterEach, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

let cluster: TestCluster;
const people: PlainClient[] = [];
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  await cluster?.stop();
});

test.each(['redis', 'memory'] as const)(
  'on %s, a node that has all the clients asks some to go, and closes nobody who stays',
  async (backplane) => {
    cluster = await startCluster({ backplane });
    const [full, empty] = cluster.nodes;
    for (let n = 0; n < 80; n++) people.push(await connect(full.url));
    const asked = () => people.filter((each) => each.all('go_away').length > 0);
    await eventually(() => asked().length >= 4, { timeoutMs: 15_000, what: 'clients that were asked to go' });
    expect(asked()[0]?.all('go_away')).toEqual([
      { reason: 'rebalance', reconnect_after_ms: expect.any(Number), deadline_ms: expect.any(Number) },
    ]);
    expect(people.every((each) => each.socket.connected)).toBe(true);
    for (const node of [full, empty]) expect((await fetch(`${node.opsUrl}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${full.opsUrl}/metrics`)).text();
    const [, count] = /signaling_go_aways_total\{reason="rebalance"\} (\d+)/.exec(metrics) ?? [];
    expect(Number(count)).toBeGreaterThanOrEqual(4);
  },
);
