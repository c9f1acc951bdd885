import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { mintToken } from '../../../services/signaling/index.ts';
import { ADMIN_TOKEN, admin } from '../../support/admin.ts';
import { type CallBrowser, type OpenOptions, openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import {
  heldFrames,
  holdFrames,
  keepConnections,
  letFramesBeHeld,
  loudness,
  packets,
  releaseFrames,
  sendOnThoughMuted,
  watchPackets,
} from '../../support/media-watch.ts';

const SMALL = { viewport: { width: 880, height: 480 } };
/** As loud as nothing at all: what a track that is turned off gives. */
const SILENT = 0.001;

describe.skipIf(capabilities.chromium === false)('rules in a room, with the host on another node', () => {
  let browser: CallBrowser;
  let cluster: TestCluster;
  let wei: Person;
  let ana: Person;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    cluster = await startCluster({ nodes: 2 });
    wei = await enter('Wei', 0);
    ana = await enter('Ana', 1);
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
  });
  afterEach(async () => {
    await browser?.closePages();
    await cluster?.stop();
  });

  function enter(name: string, node: 0 | 1, options: OpenOptions = {}): Promise<Person> {
    const { url } = cluster.nodes[node];
    const before = keepConnections;
    return browser.enter(url, { name, room: 'blue', media: 'camera', context: SMALL, before, ...options });
  }

  test('a muted microphone stops within a second, stays muted through a reload, and is heard again after the unmute', async () => {
    expect(await roleOn(wei, 'Ana')).toBe('speaker');
    const sent = await watchPackets(ana, 'outbound-rtp', 'audio');
    await eventually(async () => (await sent.lastRiseAt()) > 0);
    const mutedAt = Date.now();
    await act(wei, ana, 'mute-audio');
    await eventually(async () => Date.now() - (await sent.lastRiseAt()) > 1_000);
    expect((await sent.lastRiseAt()) - mutedAt).toBeLessThan(1_000);
    expect(await noticeTo(ana, 'audio')).toContain('muted your microphone');
    expect(await ana.by('microphone').getAttribute('aria-disabled')).toBe('true');
    await ana.by('microphone').click({ force: true });
    await ana.page.keyboard.press('m');
    expect(await ana.by('microphone').getAttribute('aria-pressed')).toBe('false');
    expect((await loudness(wei)).given).toBeLessThan(SILENT);
    expect(await ana.wireLines('offer', 'out')).toBeGreaterThan(0);

    // What the page would not do by itself: the node refuses it, and the call goes on.
    await ana.page.evaluate(() => {
      const [connection] = (window as unknown as { connections: RTCPeerConnection[] }).connections;
      const { stream } = new AudioContext().createMediaStreamDestination();
      connection?.addTrack(stream.getAudioTracks()[0] as MediaStreamTrack, stream);
    });
    await eventually(async () =>
      expect(await ana.wireLog()).toContainEqual(expect.stringMatching(/offer .*media_forbidden/)),
    );
    await wei.by('second').click();
    await ana.seesMoving(wei, 'second');

    await act(wei, ana, 'unmute-audio');
    await wei.seesAndHears(ana);
    await act(wei, ana, 'mute-audio');
    await eventually(async () => expect(await mutedIn(ana)).toBe('audio'));
    await ana.page.reload();
    await ana.enter('Ana');
    await wei.seesOnly(ana);
    await ana.seesAndHears(wei);
    expect(await mutedIn(ana)).toBe('audio');
    expect(await noticeTo(ana, 'audio')).toContain('muted your microphone');
    expect(await packets(ana, 'outbound-rtp', 'audio')).toBe(0);
    expect((await ana.wireLog()).join()).not.toContain('media_forbidden');
    expect((await loudness(wei)).given).toBeLessThan(SILENT);

    await act(wei, ana, 'unmute-audio');
    await wei.seesAndHears(ana);
    expect((await loudness(wei)).given).toBeGreaterThan(0.01);
    expect(await ana.by('microphone').getAttribute('aria-pressed')).toBe('true');
    expect([...wei.faults, ...ana.faults]).toEqual([]);
  });

  test('one who takes no notice of being muted is neither heard nor seen by anybody, though it all arrives', async () => {
    const max = await enter('Max', 1);
    const eve = await enter('Eve', 1, { before: [keepConnections, sendOnThoughMuted] });
    for (const person of [wei, ana, max]) await person.seesAndHears(eve);
    for (const other of [ana, max]) {
      await act(wei, other, 'mute-audio'); // So that Eve's is the only voice.
    }
    await eventually(async () => expect((await loudness(ana)).given).toBeGreaterThan(0.01));

    await act(wei, eve, 'mute-audio');
    await act(wei, eve, 'mute-video');
    await eventually(async () => expect(await mutedIn(eve)).toBe('audio video'));
    const others = [ana, max];
    await eventually(async () => {
      for (const person of others) expect(await tracksGiven(person, 'Eve')).toEqual([]);
    });
    const before = await packets(eve, 'outbound-rtp', 'audio');
    const got = await packets(wei, 'inbound-rtp', 'audio');
    const heard = await loudness(wei);
    expect(heard.given).toBeLessThan(SILENT);
    expect(heard.received).toBeLessThan(SILENT);
    expect(await packets(eve, 'outbound-rtp', 'audio')).toBeGreaterThan(before + 20);
    expect(await packets(wei, 'inbound-rtp', 'audio')).toBeGreaterThan(got + 20);

    for (const kind of ['audio', 'video']) await act(wei, eve, `unmute-${kind}`);
    for (const person of [wei, ana, max]) await person.seesAndHears(eve);
    expect(await tracksGiven(wei, 'Eve')).toEqual(['audio', 'video']);
  });

  test.each(['offer', 'answer'] as const)(
    'an %s that crosses a mute is refused, and what was to be negotiated with it is all the same',
    async (type) => {
      const max = await enter('Max', 1, { before: letFramesBeHeld });
      await Promise.all([max.seesAndHears(ana), ana.seesAndHears(max), wei.seesOnly(ana, max)]);

      // Max has made it, but it is still on its way when he is muted, and he hears of that later.
      await holdFrames(max, 'out');
      const [author, other] = type === 'offer' ? [max, ana] : [ana, max];
      await author.by('second').click();
      await eventually(async () => (await heldFrames(max, 'out', `"type":"${type}"`)) > 0);
      await holdFrames(max, 'in');
      await act(wei, max, 'mute-audio');
      await eventually(async () => (await heldFrames(max, 'in', '"muted":["audio"]')) > 0);
      await releaseFrames(max, 'out');
      await eventually(async () => (await heldFrames(max, 'in', 'media_forbidden')) > 0);
      await releaseFrames(max, 'in');

      await other.seesMoving(author, 'second');
      for (const person of [wei, ana]) expect(await tracksGiven(person, 'Max')).toEqual(['video']);
      await act(wei, max, 'unmute-audio');
      await Promise.all([wei.seesAndHears(max), ana.seesAndHears(max)]);
      expect([...wei.faults, ...ana.faults, ...max.faults]).toEqual([]);
    },
  );

  test('a listener raises a hand, is let speak, and is heard', async () => {
    await act(wei, ana, 'make-listener');
    expect(await noticeTo(ana, 'role')).toContain('listener');
    for (const id of ['microphone', 'camera', 'second']) {
      expect(await ana.by(id).getAttribute('aria-disabled')).toBe('true');
    }
    await ana.by('show-chat').click();
    expect(await ana.by('chat-input').isDisabled()).toBe(true);
    await eventually(async () => expect((await loudness(wei)).given).toBeLessThan(SILENT), {
      timeoutMs: 10_000,
    });

    await ana.by('hand').focus();
    await ana.page.keyboard.press('Enter');
    await wei.page.locator('[data-testid=raised-hand][data-name=Ana]').waitFor();
    await wei.by('let-speak').click();
    await wei.seesAndHears(ana);
    expect(await roleOn(wei, 'Ana')).toBe('speaker');
    await eventually(async () => expect(await ana.by('hand').getAttribute('aria-pressed')).toBe('false'));
    await wei.by('raised-hand').waitFor({ state: 'detached' });
    await ana.say('thank you');
    await eventually(async () => expect(await wei.chat()).toEqual(['thank you']));
  });

  test('who is sent out is told by whom, may come back, and who is banned may not', async () => {
    await act(wei, ana, 'kick', 'confirm');
    await ana.by('enter').waitFor();
    expect(await noticeIn(ana, 'kicked')).toBe('Wei sent you out of the room.');
    await wei.seesOnly();
    await ana.enter('Ana');
    await wei.seesOnly(ana);

    await act(wei, ana, 'ban', 'confirm');
    await ana.by('enter').waitFor();
    expect(await noticeIn(ana, 'banned')).toBe('Wei banned you from this room.');
    await ana.by('enter').click();
    await eventually(async () =>
      expect(await noticeIn(ana, 'banned')).toBe('You were banned from this room.'),
    );
  });

  test('a locked room lets nobody in, and a closed one sends everybody out', async () => {
    await rule(wei, 'lock');
    await ana.by('room-locked').waitFor();
    const max = await browser.open(cluster.nodes[1].url, { query: { room: 'blue', name: 'Max' } });
    await max.by('enter').click();
    expect(await noticeIn(max, 'room_locked')).toContain('locked');
    await rule(wei, 'unlock');
    await ana.by('room-locked').waitFor({ state: 'detached' });
    await max.enter('Max');
    await wei.seesOnly(ana, max);

    await rule(wei, 'close-room', 'confirm');
    expect(await noticeIn(ana, 'closed')).toBe('Wei closed the room.');
    for (const person of [wei, ana, max]) await person.by('enter').waitFor();
  });

  test('a moderator whom the host made acts on speakers, not on the host, by keyboard alone', async () => {
    await act(wei, ana, 'make-moderator');
    const max = await enter('Max', 0, { media: 'fake' });
    await ana.seesOnly(wei, max);
    expect(await (await ana.tileOf('Wei')).getByTestId('person-menu').count()).toBe(0);

    const menu = (await ana.tileOf('Max')).getByTestId('person-menu');
    const { keyboard } = ana.page;
    await menu.focus();
    await keyboard.press('Enter');
    await ana.by('mute-audio').waitFor();
    expect(await focused(ana)).toBe('mute-audio');
    await keyboard.press('ArrowDown');
    expect(await focused(ana)).toBe('mute-video');
    await keyboard.press('Escape');
    expect(await focused(ana)).toBe('person-menu');
    await keyboard.press('Enter');
    await ana.by('mute-audio').waitFor();
    await keyboard.press('Enter');
    await eventually(async () => expect(await mutedIn(max)).toBe('audio'));
    expect(await focused(ana)).toBe('person-menu');
  });
});

describe.skipIf(capabilities.chromium === false)('operators', () => {
  test('are heard on every page, and what they do is told as nobody in the room', async () => {
    const browser = await openBrowser();
    const cluster = await startCluster({ nodes: 2, settings: { ADMIN_TOKEN } });
    try {
      const [beijing, shanghai] = cluster.nodes;
      const wei = await browser.enter(beijing.url, { name: 'Wei', room: 'blue', context: SMALL });
      const ana = await browser.enter(shanghai.url, { name: 'Ana', room: 'blue', context: SMALL });
      await wei.seesOnly(ana);
      const text = 'Maintenance at <b>noon</b>';
      await admin(beijing, '/announcements', { level: 'warning', text });
      for (const person of [wei, ana]) {
        await eventually(async () => expect(await person.by('notice').textContent()).toBe(text));
        await person.by('notice').getByRole('button').click();
        await person.by('notice').waitFor({ state: 'detached' });
      }
      await admin(beijing, '/rooms/blue/messages', { topic: 'chat', data: { text: 'Welcome' } });
      await eventually(async () =>
        expect([await wei.chat(), await ana.chat()]).toEqual([['Welcome'], ['Welcome']]),
      );
      expect(await wei.by('chat-line').locator('b').textContent()).toBe('Server');

      await admin(beijing, '/rooms/blue/moderate', {
        action: 'mute',
        peer: await wei.ownId(),
        kinds: ['video'],
      });
      expect(await noticeTo(wei, 'video')).toContain('stopped your camera');
      expect(await wei.by('camera').getAttribute('aria-disabled')).toBe('true');
      await admin(beijing, '/rooms/blue/moderate', { action: 'kick', peer: await ana.ownId() });
      expect(await noticeIn(ana, 'kicked')).toBe('You were sent out of the room.');
    } finally {
      await browser.close();
      await cluster.stop();
    }
  });
});

describe.skipIf(capabilities.chromium === false)('a cluster that wants tokens', () => {
  test('lets in who brings one with the page, in the role that it gives, and tells the others what is missing', async () => {
    const browser = await openBrowser();
    const settings = { AUTH: 'required', JWT_SECRET: 'a-secret-of-at-least-thirty-two-bytes' };
    const cluster = await startCluster({ nodes: 2, backplane: 'memory', settings });
    try {
      const enter = async (name: string, role: 'host' | 'listener', node: 0 | 1) => {
        const token = await mintToken({ sub: name, room: 'blue', role, name, ttlS: 60 }, settings);
        const options = { name, room: 'blue', fragment: `token=${token}`, context: SMALL };
        return browser.enter(cluster.nodes[node].url, options);
      };
      const wei = await enter('Wei', 'host', 0);
      const ana = await enter('Ana', 'listener', 1);
      await wei.seesOnly(ana);
      expect(await roleOn(wei, 'Ana')).toBe('listener');
      expect(await ana.by('microphone').getAttribute('aria-disabled')).toBe('true');
      await ana.page.reload();
      await ana.enter('Ana');
      expect(await ana.by('copy-link').getAttribute('data-link')).not.toContain('token');

      const max = await browser.open(cluster.nodes[1].url, { query: { room: 'blue', name: 'Max' } });
      await max.by('enter').click();
      expect(await noticeIn(max, 'unauthorized')).toContain('asks for a pass');
    } finally {
      await browser.close();
      await cluster.stop();
    }
  });
});

/** Chooses something in the menu at another person's picture. */
async function act(host: Person, other: Person, ...items: string[]): Promise<void> {
  const tile = await host.tileOf(other.name);
  await tile.getByTestId('person-menu').click();
  for (const item of items) await tile.getByTestId(item).click();
}

/** Chooses something in the menu of the room. */
async function rule(host: Person, ...items: string[]): Promise<void> {
  await host.by('room-menu').click();
  for (const item of items) await host.by(item).click();
}

async function roleOn(person: Person, other: string): Promise<string | null> {
  return (await person.tileOf(other)).getAttribute('data-role');
}

/** What somebody is muted in, as their own page has it. */
function mutedIn(person: Person): Promise<string | null> {
  return person.by('own-tile').first().getAttribute('data-muted');
}

function noticeTo(person: Person, about: string): Promise<string | null> {
  return person.page.locator(`[data-testid=notice][data-about=${about}]`).textContent();
}

function noticeIn(person: Person, code: string): Promise<string | null> {
  return person.page.locator(`[data-testid=notice][data-code=${code}]`).textContent();
}

/** The kinds that a page plays of another person's. */
async function tracksGiven(person: Person, other: string): Promise<string[]> {
  const video = (await person.tileOf(other)).locator('video');
  return video.evaluate((element) => {
    const stream = (element as HTMLVideoElement).srcObject as MediaStream | null;
    return (stream?.getTracks() ?? []).map(({ kind }) => kind).sort();
  });
}

function focused(person: Person): Promise<string | undefined> {
  return person.page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.testid);
}
