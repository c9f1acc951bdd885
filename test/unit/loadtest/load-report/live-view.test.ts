import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';

import { liveView, type Progress } from '../../../../services/loadtest/load/report/index.ts';

const PROGRESS: Progress = {
  scenario: 'calls',
  phase: 'steady',
  elapsedS: 15,
  durationS: 30,
  connected: 400,
  target: 500,
  ratePerS: 198,
  p50Ms: 0.812,
  p99Ms: 3.71,
  maxMs: 31.4,
  lost: 0,
  doubled: 0,
  reordered: 0,
  misrouted: 0,
  lagP99Ms: 1.21,
  recentRates: [0, 50, 100, 150, 200],
};

/** What a terminal takes: up so many lines, clear to the end, a colour, back to the margin, a new line, words. */
const STEPS = new RegExp(
  ['E\\[(\\d*)A', 'E\\[[KJ]', 'E\\[\\d*m', '\\r', '(\\n)', '([^E\\r\\n]+)']
    .join('|')
    .replaceAll('E', '\\u001b'),
  'g',
);

/** A terminal of so many columns, as far as a live view needs one: what is on it, line by line. */
function terminal(columns: number, hasColors = false) {
  const rows: string[] = [];
  let row = 0;
  const writes: string[] = [];
  return {
    columns,
    writes,
    hasColors: () => hasColors,
    write(text: string) {
      writes.push(text);
      const steps = text.matchAll(STEPS);
      let line = '';
      for (const [whole, up, newline, words] of steps) {
        if (up !== undefined) row -= Number(up);
        else if (whole === '\u001b[J') rows.length = row;
        else if (words !== undefined) line += words;
        else if (newline !== undefined) {
          for (const part of line.match(new RegExp(`.{1,${this.columns}}`, 'gu')) ?? ['']) rows[row++] = part;
          line = '';
        }
      }
      if (row < 0) throw new Error('it wrote above its own beginning');
    },
    screen: () => rows.slice(0),
    /** What a terminal does with lines that are too long now. */
    resize(to: number) {
      this.columns = to;
      const reflown = rows.flatMap((each) => each.match(new RegExp(`.{1,${to}}`, 'gu')) ?? ['']);
      rows.splice(0, rows.length, ...reflown);
      row = rows.length;
    },
  };
}

describe('the live view in a terminal', () => {
  test('tells how the run stands', () => {
    const screen = terminal(80);
    liveView(screen, { isTty: true, columns: 80 }).show(PROGRESS);
    expect(screen.screen()).toEqual([
      expect.stringMatching(/^calls {2}steady {2}━{27}─{26} {2}15 \/ 30 s$/),
      'connected  400 of 500',
      'signals    198/s  ▁▃▅▆█',
      'relay      p50 812 µs   p99 3.71 ms   max 31.4 ms',
      'faults     0 lost   0 doubled   0 reordered   0 misrouted',
      'generator  lag p99 1.21 ms',
    ]);
  });

  test('is redrawn in its place, each time in one write', () => {
    const screen = terminal(80);
    const view = liveView(screen, { isTty: true, columns: 80 });
    for (let elapsedS = 0; elapsedS <= 30; elapsedS++) view.show({ ...PROGRESS, elapsedS });
    expect(screen.writes).toHaveLength(31);
    expect(screen.screen()).toHaveLength(6);
    expect(screen.screen()[0]).toContain('30 / 30 s');
  });

  test.each([20, 36, 59, 80, 300])('keeps within %d columns', (columns) => {
    const screen = terminal(columns);
    liveView(screen, { isTty: true, columns }).show({
      ...PROGRESS,
      recentRates: Array.from({ length: 500 }, () => 3),
    });
    const widest = Math.max(
      ...stripVTControlCharacters(screen.writes.join(''))
        .split('\n')
        .map((line) => [...line].length),
    );
    expect(widest).toBeLessThan(columns);
    expect(screen.screen()).toHaveLength(6);
  });

  test('leaves nothing behind when the terminal grows narrower', () => {
    const screen = terminal(100);
    const view = liveView(screen, { isTty: true, columns: 100 });
    view.say('before');
    view.show(PROGRESS);
    screen.resize(41);
    view.show(PROGRESS);
    expect(screen.screen()).toHaveLength(7);
    expect(screen.screen()[0]).toBe('before');
  });

  test('lets a line stay above it', () => {
    const screen = terminal(80);
    const view = liveView(screen, { isTty: true, columns: 80 });
    view.show(PROGRESS);
    view.say('a worker has joined');
    view.show(PROGRESS);
    expect(screen.screen().slice(0, 2)).toEqual(['a worker has joined', expect.stringContaining('calls')]);
    expect(screen.screen()).toHaveLength(7);
  });

  test.each([
    [65, 119, '65 / 119 s'],
    [65, 300, '1:05 / 5:00'],
    [3_725, 14_400, '1:02:05 / 4:00:00'],
  ])('counts %d of %d seconds as %s', (elapsedS, durationS, clock) => {
    const screen = terminal(80);
    liveView(screen, { isTty: true, columns: 80 }).show({ ...PROGRESS, elapsedS, durationS });
    expect(screen.screen()[0]?.endsWith(`  ${clock}`)).toBe(true);
  });

  test('goes away at its end', () => {
    const screen = terminal(80);
    const view = liveView(screen, { isTty: true, columns: 80 });
    view.show(PROGRESS);
    view.end();
    expect(screen.screen()).toEqual([]);
  });

  test('says when nothing arrived yet, and when it is itself too slow', () => {
    const screen = terminal(80);
    const { p50Ms: _, p99Ms: __, maxMs: ___, ...rest } = PROGRESS;
    liveView(screen, { isTty: true, columns: 80 }).show({ ...rest, lagP99Ms: 31 });
    expect(screen.screen()).toContain('relay      nothing arrived yet');
    expect(screen.screen()).toContain('generator  lag p99 31 ms: too slow to be believed');
  });

  test('shows what went wrong in red', () => {
    const screen = terminal(80, true);
    liveView(screen, { isTty: true, columns: 80 }).show({ ...PROGRESS, lost: 2 });
    expect(screen.writes.join('')).toContain('\u001b[31m2 lost\u001b[39m');
    expect(screen.writes.join('')).toContain('\u001b[32m0 doubled\u001b[39m');
  });
});

describe('the live view where there is no terminal', () => {
  test('is a plain line every five seconds, and with each phase', () => {
    const screen = terminal(80);
    const view = liveView(screen, { isTty: false, columns: 80 });
    for (let elapsedS = 0.5; elapsedS < 12; elapsedS += 0.5)
      view.show({ ...PROGRESS, elapsedS, phase: elapsedS < 8 ? 'ramp' : 'steady' });
    view.end();
    expect(screen.writes.map((line) => line.slice(0, 30))).toEqual([
      'calls 0 / 30 s (2 %) · ramp · ',
      'calls 5 / 30 s (17 %) · ramp ·',
      'calls 8 / 30 s (27 %) · steady',
      'calls 10 / 30 s (33 %) · stead',
    ]);
    expect(screen.writes[0]).toBe(
      'calls 0 / 30 s (2 %) · ramp · 400 of 500 connected · 198/s · p50 812 µs p99 3.71 ms max 31.4 ms · 0 lost 0 doubled 0 reordered 0 misrouted · lag p99 1.21 ms\n',
    );
    expect(screen.writes.join('')).not.toContain('\u001b');
  });
});
