import type { Kind } from '@fenghuo/protocol';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsSent } from '../../../services/signaling/domain/description.ts';
import { HONEST_SDP, HOSTILE_SDP, type SdpCase } from '../../corpus/sdp.ts';
import { type CallBrowser, openBrowser } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';

describe.skipIf(capabilities.chromium === false)('a description of another person', () => {
  let browser: CallBrowser;
  let page: Page;
  beforeAll(async () => {
    browser = await openBrowser();
    ({ page } = await browser.open('about:blank'));
  });
  afterAll(() => browser?.close());

  test('that the node takes for silent in a kind is never one by which Chromium would receive that kind', async () => {
    // Where the node says that all is sent, nothing can be missed.
    const cases = [...HOSTILE_SDP, ...HONEST_SDP].filter(({ sdp }) => kindsSent(sdp).length < 2);
    const taken = await readings(page, cases);
    expect(taken.length).toBeGreaterThan(150);
    const missed = taken.filter(({ sdp, received }) =>
      received.some((kind) => !kindsSent(sdp).includes(kind)),
    );
    expect(missed.map(({ name, as }) => `${name}, as ${as}`)).toEqual([]);
  });

  test('that is honest is read by the node as Chromium reads it', async () => {
    const taken = await readings(page, HONEST_SDP);
    expect(taken.length).toBeGreaterThan(HONEST_SDP.length);
    for (const { name, as, sdp, received } of taken)
      expect([name, as, received]).toEqual([name, as, kindsSent(sdp)]);
  });

  // Tried: these are what kept a muted person from being refused, when lines were trimmed before they were read.
  test.each(['\t', '\r', '\v', '\f', '\u00a0', '\ufeff', '\u2028'])(
    'whose last line is a=recvonly and %j makes Chromium receive',
    async (odd) => {
      const [silent] = HONEST_SDP.filter(({ name }) => name === 'audio recvonly, video inactive');
      const sdp = (silent as SdpCase).sdp.replace('a=recvonly', `a=recvonly${odd}`);
      const taken = await readings(page, [{ name: 'spoilt', sdp, sends: ['audio'] }]);
      expect(taken.map(({ received }) => received)).toEqual([['audio'], ['audio']]);
      expect(kindsSent(sdp)).toContain('audio');
    },
  );
});

interface Reading extends SdpCase {
  readonly as: 'offer' | 'answer';
  /** What the browser would receive of the description's author. */
  readonly received: readonly Kind[];
}

/** How Chromium reads each description, as an offer and as the answer to one of its own; without those that it refuses. */
async function readings(page: Page, cases: readonly SdpCase[]): Promise<Reading[]> {
  const devtools = await page.context().newCDPSession(page);
  const found: Reading[] = [];
  for (let at = 0; at < cases.length; at += BATCH) {
    const batch = cases.slice(at, at + BATCH);
    const received = await page.evaluate(
      receivedKinds,
      batch.map(({ sdp }) => sdp),
    );
    for (const [index, each] of batch.entries())
      for (const as of ['offer', 'answer'] as const) {
        const kinds = received[index]?.[as];
        if (kinds !== undefined) found.push({ ...each, as, received: kinds });
      }
    // Closed connections count among the 500 that a renderer may have until they are collected.
    await devtools.send('HeapProfiler.collectGarbage');
  }
  return found;
}

const BATCH = 100;

/** Runs in the page. */
async function receivedKinds(texts: string[]): Promise<{ offer?: Kind[]; answer?: Kind[] }[]> {
  const certificate = await RTCPeerConnection.generateCertificate({
    name: 'ECDSA',
    namedCurve: 'P-256',
  } as never);
  const kindsOf = (connection: RTCPeerConnection) => {
    const receiving = connection
      .getTransceivers()
      .filter(({ currentDirection }) => /recv/.test(currentDirection ?? ''))
      .map(({ receiver }) => receiver.track.kind as Kind);
    return [...new Set(receiving)].sort();
  };
  const attempt = async (negotiate: (connection: RTCPeerConnection) => Promise<void>) => {
    const connection = new RTCPeerConnection({ certificates: [certificate] });
    try {
      await negotiate(connection);
      return kindsOf(connection);
    } catch {
      return undefined;
    } finally {
      connection.close();
    }
  };
  const found: { offer?: Kind[]; answer?: Kind[] }[] = [];
  for (const sdp of texts) {
    const offer = await attempt(async (connection) => {
      await connection.setRemoteDescription({ type: 'offer', sdp });
      await connection.setLocalDescription();
    });
    const answer = await attempt(async (connection) => {
      for (const [, kind = ''] of sdp.matchAll(/^m=(audio|video|application) /gm))
        if (kind === 'application') connection.createDataChannel('data');
        else connection.addTransceiver(kind);
      await connection.setLocalDescription();
      const text = sdp.replace('a=setup:actpass', 'a=setup:active');
      await connection.setRemoteDescription({ type: 'answer', sdp: text });
    });
    found.push({ ...(offer && { offer }), ...(answer && { answer }) });
  }
  return found;
}
