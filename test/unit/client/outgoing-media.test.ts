import { expect, test } from 'vitest';

import { fakeTrack } from './fake-connection.ts';
import { pair, type Side } from './link-pair.ts';

const SIDES: readonly [Side, Side][] = [
  ['polite', 'impolite'],
  ['impolite', 'polite'],
];

test.each(SIDES)(
  'a second picture of the %s side, shown and hidden 200 times, takes one m-line',
  async (name, otherName) => {
    const { [name]: own, [otherName]: other, settle, faults } = pair();
    await settle();
    const sizes: number[] = [];
    for (let times = 1; times <= 200; times++) {
      const track = fakeTrack('video');
      own.link.addTrack(track, { id: `second ${times % 10}` } as MediaStream);
      await settle();
      expect(other.link.streams.map(({ id }) => id)).toEqual([`of ${name}`, `second ${times % 10}`]);
      own.link.removeTrack(track);
      await settle();
      expect(other.heard).toEqual(['video']);
      sizes.push(own.connection.localDescription?.sdp.match(/^m=/gm)?.length ?? 0);
    }
    expect(sizes.at(-1)).toBe(sizes[1]);
    expect(faults).toEqual([]);
  },
);

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
  expect([impolite.heard, polite.connection.transceivers.length]).toEqual([['audio', 'video'], 2]);
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
