import { expect, test } from 'vitest';

import { fakeTrack } from './fake-connection.ts';
import { pair } from './link-pair.ts';

test('a track of either kind takes an m-line of its own kind', async () => {
  const { polite, impolite, settle } = pair();
  await settle();
  const [first] = polite.tracks;
  polite.link.removeTrack(first as MediaStreamTrack);
  polite.link.addTrack(fakeTrack('audio'), { id: 'sound' } as MediaStream);
  await settle();
  expect(impolite.heard).toEqual(['audio']);
  polite.link.addTrack(fakeTrack('video'), { id: 'picture' } as MediaStream);
  await settle();
  expect([impolite.heard, polite.connection.transceivers.length]).toEqual([['audio', 'video'], 3]);
});

test('a track that a transceiver does not take is sent over another one, and the former track no longer', async () => {
  const { polite, impolite, settle } = pair();
  await settle();
  const [track] = polite.tracks as [MediaStreamTrack];
  polite.connection.refusesReplacing = true;
  const next = fakeTrack('video');
  await polite.link.replaceTrack(track, next);
  await settle();
  expect(polite.connection.senders.map((sender) => sender.track)).toEqual([next]);
  expect(impolite.heard).toEqual(['video']);
});
