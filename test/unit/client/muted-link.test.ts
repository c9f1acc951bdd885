import { describe, expect, test, vi } from 'vitest';

import type { MediaKind } from '../../../services/client/index.ts';
import { fakeTrack } from './fake-connection.ts';
import { type PairOptions, pair, type Side } from './link-pair.ts';

const BOTH: readonly MediaKind[] = ['audio', 'video'];
const AUDIO: ReadonlySet<MediaKind> = new Set(['audio']);
const NONE: ReadonlySet<MediaKind> = new Set();
const SIDES: readonly [Side, Side][] = [
  ['polite', 'impolite'],
  ['impolite', 'polite'],
];

/** A pair in which both send sound and a picture. */
async function talking(options: PairOptions = {}) {
  const scene = pair({ politeTracks: BOTH, impoliteTracks: BOTH, ...options });
  await scene.settle();
  return scene;
}

describe.each(SIDES)('the %s side, muted in the middle of a call', (name, otherName) => {
  test('stops sending at once, negotiates that, and goes on with the rest', async () => {
    const scene = await talking();
    const { [name]: muted, [otherName]: other, settle, faults } = scene;
    expect([...muted.connection.sending].sort()).toEqual(['audio', 'video']);
    scene.muted[name].add('audio');
    muted.link.forbid(AUDIO);
    expect(muted.connection.sending).toEqual(['video']);
    await settle();
    expect(other.heard).toEqual(['video']);
    expect(muted.heard).toEqual(['audio', 'video']);
    expect([scene.refused, faults]).toEqual([[], []]);
  });

  test('sends its own track again after the unmute, over the same m-line', async () => {
    const scene = await talking();
    const { [name]: muted, [otherName]: other, settle } = scene;
    const { length } = muted.connection.transceivers;
    for (let times = 0; times < 3; times++) {
      muted.link.forbid(AUDIO);
      await settle();
      muted.link.forbid(NONE);
      await settle();
    }
    expect(other.heard).toEqual(['audio', 'video']);
    expect(muted.connection.senders.map(({ track }) => track)).toContain(muted.tracks[0]);
    expect(muted.connection.transceivers).toHaveLength(length);
  });

  test('that is muted again before the unmute has taken effect sends nothing', async () => {
    const { [name]: muted, [otherName]: other, settle } = await talking();
    muted.link.forbid(AUDIO);
    muted.link.forbid(NONE);
    muted.link.forbid(AUDIO);
    for (let turns = 0; turns < 5; turns++) await Promise.resolve(); // Nothing can be negotiated that fast.
    expect(muted.connection.sending).toEqual(['video']);
    await settle();
    expect([muted.connection.sending, other.heard]).toEqual([['video'], ['video']]);
  });

  test('whose offer of just before is refused takes it back and offers anew without that kind', async () => {
    const scene = await talking();
    const { [name]: muted, [otherName]: other, settle, faults } = scene;
    scene.muted[name].add('audio');
    muted.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await settle();
    expect(scene.refused).toEqual([name]);
    muted.link.forbid(AUDIO); // What was refused is known before why.
    await settle();
    expect(muted.connection.log).toContain('rollback');
    expect([muted.connection.signalingState, other.connection.signalingState]).toEqual(['stable', 'stable']);
    expect(other.heard).toEqual(['video', 'video']);
    expect([scene.refused, faults]).toEqual([[name], []]);
  });

  test('whose offer is refused after it has heard of the mute offers anew at once', async () => {
    const scene = await talking();
    const { [name]: muted, [otherName]: other, settle } = scene;
    const release = scene.holdRefusals();
    scene.muted[name].add('audio');
    muted.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await settle();
    muted.link.forbid(AUDIO);
    release();
    await settle();
    expect([scene.refused, other.heard]).toEqual([[name], ['video', 'video']]);
  });

  test('whose answer of just before is refused comes to an agreement all the same', async () => {
    const scene = await talking({ offerPatienceMs: 20 });
    const { [name]: muted, [otherName]: other, settle, faults } = scene;
    scene.muted[name].add('audio');
    other.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await vi.waitFor(async () => {
      await settle();
      expect(scene.refused).toContain(name);
    });
    muted.link.forbid(AUDIO);
    await vi.waitFor(async () => {
      await settle();
      expect([muted.heard, other.heard]).toEqual([['audio', 'video', 'video'], ['video']]);
    });
    expect([muted.connection.signalingState, other.connection.signalingState]).toEqual(['stable', 'stable']);
    // On a slow machine its patience ends before it is told what was forbidden.
    expect(faults.filter(({ step }) => step !== 'signal')).toEqual([]);
  });

  test('keeps no track from being replaced: the other one is sent after the unmute', async () => {
    const { [name]: muted, settle } = await talking();
    muted.link.forbid(AUDIO);
    const next = fakeTrack('audio');
    await muted.link.replaceTrack(muted.tracks[0] as MediaStreamTrack, next);
    expect(muted.connection.sending).toEqual(['video']);
    muted.link.forbid(NONE);
    await settle();
    expect(muted.connection.senders.map(({ track }) => track)).toContain(next);
  });
});

describe.each(SIDES)('the %s side, muted from the beginning', (name, otherName) => {
  test('offers and answers nothing of that kind, and hears the others', async () => {
    const scene = await talking({ forbidden: { [name]: ['audio'] } });
    const { [name]: muted, [otherName]: other, refused, faults } = scene;
    expect([muted.heard, other.heard]).toEqual([['audio', 'video'], ['video']]);
    expect(muted.connection.sending).toEqual(['video']);
    expect([refused, faults]).toEqual([[], []]);
  });

  test('as a listener, sends nothing at all, and everything once it is made a speaker', async () => {
    const scene = await talking({ forbidden: { [name]: BOTH } });
    const { [name]: listener, [otherName]: other, settle } = scene;
    expect([listener.heard, other.heard]).toEqual([['audio', 'video'], []]);
    scene.muted[name].clear();
    listener.link.forbid(NONE);
    await settle();
    expect(other.heard).toEqual(['audio', 'video']);
    expect(scene.refused).toEqual([]);
  });

  test('which does not know it yet is refused its first description, and is connected without that kind', async () => {
    const scene = pair({ politeTracks: BOTH, impoliteTracks: BOTH, offerPatienceMs: 20 });
    const { [name]: muted, [otherName]: other, settle } = scene;
    scene.muted[name].add('audio');
    await vi.waitFor(async () => {
      await settle();
      expect(scene.refused).toContain(name);
    });
    muted.link.forbid(AUDIO);
    await vi.waitFor(async () => {
      await settle();
      expect([muted.heard, other.heard]).toEqual([['audio', 'video'], ['video']]);
    });
    expect([muted.connection.signalingState, other.connection.signalingState]).toEqual(['stable', 'stable']);
    expect(muted.connections.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });
});

test('candidates of an offer that was refused on its way are of no use, and no fault', async () => {
  const { impolite, faults } = await talking();
  impolite.connection.remoteDescription = { type: 'offer', sdp: 'v=0\r\na=ice-ufrag:here\r\n' };
  impolite.connection.refusesCandidates = true;
  const candidate = (usernameFragment: string) => ({ candidate: 'c', usernameFragment });
  impolite.link.receive({ candidate: candidate('elsewhere') });
  await new Promise((resolve) => setTimeout(resolve));
  expect(faults).toEqual([]);
  impolite.link.receive({ candidate: candidate('he') }); // The beginning of a name is another name.
  await new Promise((resolve) => setTimeout(resolve));
  expect(faults).toEqual([]);
  impolite.link.receive({ candidate: candidate('here') });
  await vi.waitFor(() => expect(faults).toHaveLength(1));
});

test('what is refused though the roster knows of no mute is tried again, and told from the second time on', async () => {
  const scene = pair({ politeTracks: BOTH, offerPatienceMs: 10 });
  scene.muted.polite.add('audio');
  await vi.waitFor(() => expect(scene.refused.length).toBeGreaterThan(2));
  expect(scene.faults[0]).toMatchObject({ error: { code: 'media_forbidden' } });
  scene.muted.polite.clear();
  await vi.waitFor(async () => {
    await scene.settle();
    expect(scene.impolite.heard).toEqual(['audio', 'video']);
  });
});

describe('a kind that is silenced', () => {
  test('is taken out of what the application is given and turned off, though it goes on coming, and back', async () => {
    const { polite, impolite } = await talking();
    const [audio] = impolite.connection.transceivers.filter(({ kind }) => kind === 'audio');
    impolite.link.silence(AUDIO);
    expect([impolite.heard, audio?.receiver.track.enabled]).toEqual([['video'], false]);
    expect(polite.connection.sending).toContain('audio');
    impolite.link.silence(NONE);
    expect([impolite.heard, audio?.receiver.track.enabled]).toEqual([['audio', 'video'], true]);
  });

  test('stays silent on every m-line that is added meanwhile', async () => {
    const { polite, impolite, settle } = await talking();
    impolite.link.silence(AUDIO);
    for (const id of ['one', 'two']) polite.link.addTrack(fakeTrack('audio'), { id } as MediaStream);
    await settle();
    expect(impolite.heard).toEqual(['video']);
    const tracks = impolite.connection.transceivers.filter(({ kind }) => kind === 'audio');
    expect(tracks.map(({ receiver }) => receiver.track.enabled)).toEqual([false, false, false]);
    impolite.link.silence(NONE);
    expect(impolite.heard).toEqual(['audio', 'audio', 'audio', 'video']);
  });

  test('that its sender has ended meanwhile comes back only when it is sent again', async () => {
    const { polite, impolite, settle } = await talking();
    impolite.link.silence(AUDIO);
    polite.link.forbid(AUDIO);
    await settle();
    impolite.link.silence(NONE);
    expect(impolite.heard).toEqual(['video']);
    polite.link.forbid(NONE);
    await settle();
    expect(impolite.heard).toEqual(['audio', 'video']);
  });

  test('leaves no empty stream behind, and the picture of a person comes back as the first', async () => {
    const { polite, impolite, settle } = await talking();
    polite.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await settle();
    impolite.link.silence(new Set(BOTH));
    expect(impolite.link.streams).toEqual([]);
    impolite.link.silence(NONE);
    expect(impolite.link.streams.map(({ id }) => id)).toEqual(['of polite', 'second']);
  });
});
