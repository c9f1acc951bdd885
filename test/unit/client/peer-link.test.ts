import { expect, test, vi } from 'vitest';

import { fakeTrack } from './fake-connection.ts';
import { descriptions, pair } from './link-pair.ts';

test('the one who came later offers, and the other answers with its own tracks: no glare, one round trip', async () => {
  const { polite, impolite, faults, settle } = pair();
  await settle();
  expect(polite.connection.log).toEqual(['local offer', 'remote answer']);
  expect(impolite.connection.log).toEqual(['remote offer', 'local answer']);
  expect(impolite.connection.senders).toHaveLength(1);
  expect(faults).toEqual([]);
});

test('the one who came later offers to receive where it has nothing to send', async () => {
  const { polite, settle } = pair({ politeTracks: [] });
  await settle();
  expect(polite.connection.log).toEqual(['local offer', 'remote answer']);
});

test('the one who was there first offers when the other does not', async () => {
  const { impolite, wires } = pair({ offerPatienceMs: 5 });
  await vi.waitFor(() => expect(descriptions(wires.impolite)).toEqual(['offer']));
  expect(impolite.connection.signalingState).toBe('have-local-offer');
});

test('when both offer at once, the impolite offer stands and both tracks are negotiated', async () => {
  const { polite, impolite, faults, settle } = pair();
  await settle();
  for (const side of [polite, impolite]) {
    side.connection.log.length = 0;
    side.link.addTrack(fakeTrack('video'), {} as MediaStream);
  }
  await settle();
  expect(impolite.connection.log.slice(0, 2)).toEqual(['local offer', 'remote answer']);
  expect(polite.connection.log.slice(0, 3)).toEqual([
    'local offer',
    'rollback, remote offer',
    'local answer',
  ]);
  for (const { connection } of [polite, impolite]) {
    expect(connection.signalingState).toBe('stable');
    expect(connection.isNegotiationNeeded).toBe(false);
  }
  expect(faults).toEqual([]);
});

test('when the very first offers meet, the polite side begins anew instead of a rollback', async () => {
  const { polite, impolite, faults, settle, wires } = pair({ offerPatienceMs: 0 });
  await vi.waitFor(() =>
    expect([...descriptions(wires.polite), ...descriptions(wires.impolite)]).toHaveLength(2),
  );
  await settle();
  const [first, second] = polite.connections;
  expect([first?.log, first?.isClosed]).toEqual([['local offer'], true]);
  expect(second?.log).toEqual(['remote offer', 'local answer']);
  expect(second?.senders).toHaveLength(1);
  expect(impolite.connection.log).toEqual(['local offer', 'remote answer']);
  expect(impolite.connection.signalingState).toBe('stable');
  first?.onnegotiationneeded?.();
  await settle();
  expect(second?.log).toHaveLength(2);
  expect(faults).toEqual([]);
});

test('candidates that come before any description wait for it, in their order', async () => {
  const { impolite } = pair();
  const candidate = (text: string) => ({ candidate: text, sdpMid: '0' });
  impolite.link.receive({ candidate: candidate('one') });
  impolite.link.receive({ candidate: candidate('two') });
  await new Promise((resolve) => setTimeout(resolve));
  expect(impolite.connection.candidates).toEqual([]);
  impolite.link.receive({ description: { type: 'offer', sdp: 'v=0' } });
  impolite.link.receive({ candidate: candidate('three') });
  impolite.link.receive({ candidate: null });
  await vi.waitFor(() => expect(impolite.connection.candidates).toEqual(['one', 'two', 'three', null]));
});

test('candidates of an offer that was ignored are no fault, and others that fail are', async () => {
  const { impolite, faults, settle } = pair();
  await settle();
  impolite.link.addTrack(fakeTrack('video'), {} as MediaStream);
  await vi.waitFor(() => expect(impolite.connection.signalingState).toBe('have-local-offer'));
  impolite.connection.refusesCandidates = true;
  impolite.link.receive({ description: { type: 'offer', sdp: 'v=0 ignored' } });
  impolite.link.receive({ candidate: { candidate: 'of the ignored offer' } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(faults).toEqual([]);
  impolite.link.receive({ description: { type: 'answer', sdp: 'v=0' } });
  impolite.link.receive({ candidate: { candidate: 'of the answer' } });
  await vi.waitFor(() => expect(faults).toHaveLength(1));
});

test('a way that failed is looked for anew', () => {
  const { polite } = pair();
  polite.connection.iceConnectionState = 'failed';
  polite.connection.oniceconnectionstatechange?.();
  expect(polite.connection.restarts).toBe(1);
});

test('where signals were lost, ICE is restarted', async () => {
  const { polite, impolite, settle } = pair();
  await settle();
  polite.link.makeUpForLoss();
  await settle();
  expect(polite.connection.restarts).toBe(1);
  expect(impolite.connection.log).toEqual(['remote offer', 'local answer', 'remote offer', 'local answer']);
});

test('an offer whose answer was lost is sent again, and answered again', async () => {
  const { polite, impolite, wires, faults, settle } = pair();
  await vi.waitFor(() => expect(descriptions(wires.polite)).toEqual(['offer']));
  for (const signal of wires.polite.splice(0)) impolite.link.receive(signal);
  await vi.waitFor(() => expect(descriptions(wires.impolite)).toEqual(['answer']));
  wires.impolite.length = 0;
  polite.link.makeUpForLoss();
  await settle();
  expect(polite.connection.log).toEqual(['local offer', 'remote answer']);
  expect(impolite.connection.signalingState).toBe('stable');
  expect(faults).toEqual([]);
});

test('a second answer, where the first was only late, is no fault', async () => {
  const { polite, faults, settle } = pair();
  await vi.waitFor(() => expect(polite.connection.signalingState).toBe('have-local-offer'));
  polite.link.makeUpForLoss();
  await settle();
  expect(polite.connection.log).toEqual(['local offer', 'remote answer']);
  expect(faults).toEqual([]);
});

test('an offer that the polite side never got, and so never took its own back for, is sent again', async () => {
  const { polite, impolite, wires, faults, settle } = pair({ offerPatienceMs: 20 });
  await settle();
  impolite.link.addTrack(fakeTrack('video'), {} as MediaStream);
  await vi.waitFor(() => expect(descriptions(wires.impolite)).toEqual(['offer']));
  wires.impolite.length = 0;
  polite.link.makeUpForLoss();
  await settle();
  expect([polite, impolite].map(({ connection }) => connection.signalingState)).toEqual([
    'have-local-offer',
    'have-local-offer',
  ]);
  await vi.waitFor(async () => {
    await settle();
    for (const { connection } of [polite, impolite]) expect(connection.signalingState).toBe('stable');
  });
  expect(faults).toEqual([]);
});

test('a closed link sends nothing more', async () => {
  const { polite, wires } = pair();
  polite.link.close();
  polite.link.addTrack(fakeTrack('video'), {} as MediaStream);
  polite.link.receive({ description: { type: 'offer', sdp: 'v=0' } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(wires.polite).toEqual([]);
});
