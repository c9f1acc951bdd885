import { expect, inject, test } from 'vitest';
import { refuse } from '../../services/signaling/domain/result.ts';
import { startCluster } from '../support/cluster.ts';
import { nodesOnMemory } from '../support/node-parts.ts';
import { connect } from '../support/plain-client.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const WINDOW_MS = 1_000;
const { openNodes, pair, person } = nodesOnMemory({ RESUME_WINDOW_MS: String(WINDOW_MS) });

test('Q1: a detach whose answer is lost still begins the window: the session expires', async () => {
  const { beijing, shanghai } = await openNodes({ id: 'a' }, { id: 'b' });
  const { ann, bob } = await pair(beijing, shanghai);
  const { rooms } = shanghai.backplane;
  const detach = rooms.detach.bind(rooms);
  let lost = 0;
  rooms.detach = async (...args) => {
    const outcome = await detach(...args);
    return lost++ === 0 ? refuse('unavailable') : outcome;
  };
  bob.socket.io.engine.close();
  await ann.next('peer_updated');
  expect(await ann.next('peer_left', WINDOW_MS + 6_000)).toMatchObject({ reason: 'expired' });
});

test('C5: a resume whose answer is lost leaves no session connected to nobody', async () => {
  const { beijing, shanghai } = await openNodes({ id: 'a' }, { id: 'b' });
  const { ann, bob, bobJoin } = await pair(beijing, shanghai);
  bob.socket.io.engine.close();
  await ann.next('peer_updated');
  const { rooms } = beijing.backplane;
  const resume = rooms.resume.bind(rooms);
  rooms.resume = async (...args) => {
    await resume(...args);
    return refuse('unavailable');
  };
  const again = await person(beijing);
  expect(await again.resume(bobJoin)).toMatchObject({ error: { code: 'unavailable' } });
  again.close();
  expect(await ann.next('peer_left', WINDOW_MS + 6_000)).toMatchObject({ reason: 'expired' });
});

test('a signal whose answer is late reaches a peer of the same node at once after it, not when heads are compared', async () => {
  const { port } = new URL(inject('redisUrl'));
  let answersWait = Promise.resolve();
  const proxy = await startTcpProxy(Number(port), () => {
    let isOfScripts = false;
    return {
      toServer(chunk, pass) {
        isOfScripts ||= chunk.includes('fenghuo-commands');
        pass(chunk);
      },
      toClient(chunk, pass) {
        if (isOfScripts) void answersWait.then(() => pass(chunk));
        else pass(chunk);
      },
    };
  });
  const cluster = await startCluster({ redisUrl: [`redis://127.0.0.1:${proxy.port}`, inject('redisUrl')] });
  const [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[0].url)];
  const { self } = await ann.join('blue');
  await bob.join('blue');

  const lateMs = 900;
  answersWait = new Promise((resolve) => setTimeout(resolve, lateMs));
  const reply = await bob.ask('signal', { id: 2, to: self.id, candidate: null });
  expect(reply).toMatchObject({ error: { code: 'unavailable' } });
  expect(await ann.next('signal', lateMs + 1_000)).toMatchObject({ candidate: null });

  for (const each of [ann, bob]) each.close();
  await cluster.stop();
  await proxy.stop();
});
