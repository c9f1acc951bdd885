import { expect, test } from 'vitest';
import { refuse } from '../../services/signaling/domain/result.ts';
import { nodesOnMemory } from '../support/node-parts.ts';

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
