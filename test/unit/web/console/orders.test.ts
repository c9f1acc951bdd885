import type { Peer, PeerId } from '@fenghuo/protocol';
import { expect, test } from 'vitest';

import { AdminApi } from '../../../../services/web/console/admin-api.ts';
import {
  announce,
  muteAll,
  type Order,
  readData,
  setMuted,
} from '../../../../services/web/console/orders.ts';
import { STRINGS } from '../../../../services/web/console/strings.ts';
import { report } from './reports.ts';

const PERSON: Peer = {
  id: 'p1' as PeerId,
  name: 'Wei',
  role: 'speaker',
  muted: ['audio'],
  connected: true,
  metadata: null,
  joined_seq: 1,
  node: 'beijing-1',
  region: 'beijing',
};

/** What an order asks of the API, and the words that come of the answer. */
async function given(order: Order, values: Record<string, string>, answer: object = {}) {
  let body: unknown;
  const api = new AdminApi('secret', async (_, init) => {
    body = JSON.parse(String(init?.body));
    return new Response(JSON.stringify({ ok: true, ...answer }));
  });
  const given = await order.give(api, values);
  return { body, outcome: given.ok ? given.outcome : undefined };
}

test.each([
  ['chat', 'hello', { text: 'hello' }],
  ['chat', '42', { text: '42' }],
  ['chat', '{"text":"hello"}', { text: 'hello' }],
  ['cursor', '{"x":1}', { x: 1 }],
  ['cursor', '42', 42],
  ['cursor', 'plain', 'plain'],
])('a message of topic %s typed as %s is sent as %o', (topic, text, data) => {
  expect(readData(topic, text)).toEqual(data);
});

test('what is muted is unmuted, and the other way round', async () => {
  expect((await given(setMuted('blue', PERSON, 'audio'), {})).body).toMatchObject({
    action: 'unmute',
    kinds: ['audio'],
  });
  expect((await given(setMuted('blue', PERSON, 'video'), {})).body).toMatchObject({
    action: 'mute',
    kinds: ['video'],
  });
});

test('everyone is muted in one kind, or in all', async () => {
  const order = muteAll('blue', 3);
  expect((await given(order, { kinds: 'video' })).body).toEqual({
    action: 'mute',
    peer: '*',
    kinds: ['video'],
  });
  expect((await given(order, { kinds: 'audio,video,message' })).body).toMatchObject({
    kinds: ['audio', 'video', 'message'],
  });
});

test('an announcement goes to whom was chosen, and tells of nodes that did not answer', async () => {
  const order = announce([report('beijing-1'), report('shanghai-1')]);
  const to = order.question?.fields.find(({ name }) => name === 'to')?.shape;
  expect(to).toHaveLength(5); // Everyone, two regions, two nodes.
  const answer = { connections: 12, nodes: [{ id: 'beijing-1', connections: 12 }], silent: ['shanghai-1'] };
  const { body, outcome } = await given(
    order,
    { to: '{"region":"beijing"}', level: 'warning', text: ' Hi ' },
    answer,
  );
  expect(body).toEqual({ to: { region: 'beijing' }, level: 'warning', text: 'Hi' });
  expect(outcome?.tone).toBe('warning');
  expect(outcome?.words(STRINGS.en)).toBe(
    'Announced: 12 connections took it (beijing-1 12). No answer within a second from shanghai-1.',
  );
  expect(
    (await given(order, { to: 'null', level: 'info', text: 'Hi' }, { ...answer, silent: [] })).body,
  ).toEqual({
    level: 'info',
    text: 'Hi',
  });
});
