import { expect, onTestFinished, test } from 'vitest';
import { ADMIN_TOKEN, admin } from '../support/admin.ts';
import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { startNodeProcesses } from '../support/node-processes.ts';
import { connect } from '../support/plain-client.ts';
import { startLocalRedis } from '../support/redis.ts';

test.skipIf(!capabilities.redisServer)(
  'a node is killed: its rooms are listed with nobody connected, and no more once the windows have run out',
  async () => {
    const redis = await startLocalRedis();
    onTestFinished(() => redis.stop());
    const processes = await startNodeProcesses(redis.url, { ADMIN_TOKEN, RESUME_WINDOW_MS: '4000' });
    onTestFinished(() => processes.stop());
    const [doomed, survivor] = processes.nodes;
    for (const room of ['blue', 'red']) {
      const client = await connect(doomed.url);
      onTestFinished(() => client.close());
      await client.join(room);
    }
    const listed = async () => {
      const { rooms } = await admin(survivor, '/rooms?sort=name');
      return rooms.map((each: { name: string; connected: number }) => `${each.name} ${each.connected}`);
    };
    await eventually(async () => expect(await listed()).toEqual(['blue 1', 'red 1']));
    await doomed.kill();
    await eventually(async () => expect(await listed()).toEqual(['blue 0', 'red 0']), { timeoutMs: 15_000 });
    await eventually(async () => expect(await listed()).toEqual([]), { timeoutMs: 15_000 });
    const { events } = await admin(survivor, '/events');
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'node_swept', node: survivor.id, swept: doomed.id, sessions: 2 }),
    );
    expect((await admin(survivor, '/nodes')).nodes).toMatchObject([{ id: survivor.id }]);
  },
);
