import { describe, expect, test, vi } from 'vitest';

import { fakeTrack } from './fake-connection.ts';
import { pair, type Side } from './link-pair.ts';

const SIDES: readonly [Side, Side][] = [
  ['polite', 'impolite'],
  ['impolite', 'polite'],
];

describe.each(SIDES)('a second picture of the %s side', (name, otherName) => {
  test('that is shown and hidden 200 times takes one m-line, and has its own name each time', async () => {
    const { [name]: own, [otherName]: other, settle, faults } = pair();
    await settle();
    const lines: number[] = [];
    for (let times = 1; times <= 200; times++) {
      const track = fakeTrack('video');
      own.link.addTrack(track, { id: `second ${times}` } as MediaStream);
      await settle();
      expect(other.link.streams.map(({ id }) => id)).toEqual([`of ${name}`, `second ${times}`]);
      own.link.removeTrack(track);
      await settle();
      expect(other.heard).toEqual(['video']);
      lines.push(own.connection.localDescription?.sdp.match(/^m=/gm)?.length ?? 0);
    }
    expect(lines.at(-1)).toBe(lines[1]);
    expect(faults).toEqual([]);
  });

  test('that takes the place of another in the middle of an offer comes with its own name', async () => {
    const { [name]: own, [otherName]: other, settle } = pair();
    await settle();
    const [former, next] = [fakeTrack('video'), fakeTrack('video')];
    own.link.addTrack(former, { id: 'former' } as MediaStream);
    await settle();
    own.link.removeTrack(former);
    await settle();
    const offers = own.connection.log.length;
    own.link.addTrack(former, { id: 'former' } as MediaStream);
    await vi.waitUntil(() => own.connection.log.length > offers, { interval: 0 });
    own.link.removeTrack(former);
    own.link.addTrack(next, { id: 'next' } as MediaStream);
    await settle();
    expect(other.link.streams.map(({ id }) => id)).toEqual([`of ${name}`, 'next']);
  });

  test('takes no m-line of the other side’s', async () => {
    const { [name]: own, [otherName]: other, settle } = pair();
    await settle();
    const [ours, theirs] = [fakeTrack('video'), fakeTrack('video')];
    other.link.addTrack(theirs, { id: 'theirs' } as MediaStream);
    await settle();
    other.link.removeTrack(theirs);
    await settle();
    own.link.addTrack(ours, { id: 'ours' } as MediaStream);
    await settle();
    other.link.addTrack(theirs, { id: 'theirs' } as MediaStream);
    await settle();
    expect([own.connection.transceivers.length, own.heard, other.heard]).toEqual([
      3,
      ['video', 'video'],
      ['video', 'video'],
    ]);
  });
});

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
