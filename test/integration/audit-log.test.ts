import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { memoryHub } from '../../services/signaling/backplane/memory/hub.ts';
import { parseConfig } from '../../services/signaling/config.ts';
import { defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { startNode } from '../../services/signaling/node.ts';
import { openMetrics } from '../../services/signaling/telemetry/metrics.ts';
import { ADMIN_TOKEN, admin } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';

/** While the first one is changed. */
const NEXT_TOKEN = 'the-next-token-of-operators-that-is-hard-to-guess';

test('every action is a line of the log, and a wrong token is, but neither token nor words are', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const config = parseConfig({
    NODE_ID: 'only',
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    AUTH: 'open',
    ADMIN_TOKEN: `${ADMIN_TOKEN} ${NEXT_TOKEN}`,
  });
  const incarnation = randomBytes(9).toString('base64url');
  const backplane = memoryHub().attach({ incarnation, bounds: defaultLogBounds(config.resumeWindowMs) });
  const metrics = openMetrics();
  const node = await startNode(config, {
    incarnation,
    backplanes: [backplane],
    metrics,
    log,
    wallMs: Date.now,
  });
  onTestFinished(() => node.stop());
  const at = { opsUrl: `http://127.0.0.1:${node.operatorsPort}` };
  await eventually(async () => (await admin(at, '/nodes')).status === 200, {
    what: 'a node that knows itself',
  });

  await admin(at, '/announcements', { level: 'info', text: 'these are the words' });
  await admin(at, '/nodes/none/drain', { text: 'these are the words' }, { token: NEXT_TOKEN });
  await admin(at, '/rooms', undefined, { token: 'not-the-token' });
  const audits = lines.filter(({ event }) => event === 'audit');
  const who = { address: '127.0.0.1', token: expect.stringMatching(/^[0-9a-f]{8}$/) };
  expect(audits).toMatchObject([
    { ...who, action: 'announcement', level: 'info', text_chars: 19, outcome: 'ok' },
    { ...who, action: 'node_drain', target: 'none', outcome: 'node_not_found' },
    { action: 'none', outcome: 'unauthorized', address: '127.0.0.1' },
  ]);
  const [first, second] = audits;
  expect(first?.token).not.toBe(second?.token);
  expect(JSON.stringify(lines)).not.toMatch(new RegExp(`words|not-the-token|${ADMIN_TOKEN}|${NEXT_TOKEN}`));
  // Who has no token leaves nothing in the journal.
  const { events } = await admin(at, '/events');
  expect(events.filter((each: { event: string }) => each.event === 'audit')).toHaveLength(2);
});
