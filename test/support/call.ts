import { expect } from 'vitest';

import type { FrameWatch, Person } from './browser.ts';
import { eventually } from './eventually.ts';

/** A person sees nothing of what happens to the signaling: the longest gap between two decoded pictures. */
const GAP_MS_MAX = 500;

/** The pictures of each at the other, from now on. */
export async function watchBoth(
  wei: Person,
  ana: Person,
  gapMsMax = GAP_MS_MAX,
): Promise<{ haveNoGap(): Promise<void> }> {
  const watches: FrameWatch[] = [await wei.watchFrames(ana), await ana.watchFrames(wei)];
  return {
    async haveNoGap() {
      for (const watch of watches) {
        const before = await watch.count();
        await eventually(async () => (await watch.count()) > before + 6, { what: 'the pictures go on' });
        expect(await watch.longestGapMs()).toBeLessThan(gapMsMax);
      }
    },
  };
}

/**
 * Each restarts ICE and adds a track, which takes descriptions and candidates in both directions; both tracks arrive. In
 * the end the call is as it was.
 */
export async function changeTheCall(wei: Person, ana: Person): Promise<void> {
  for (const [person, other] of [
    [wei, ana],
    [ana, wei],
  ] as const) {
    const before = await newestCandidate(person);
    const way = person.page.locator(`[data-testid=way][data-name=${other.name}]`);
    await way.getByTestId('restart-ice').click();
    // Without a restart nobody looks for candidates anew.
    await eventually(async () => (await newestCandidate(person)) > before, {
      timeoutMs: 10_000,
      what: `${person.name} gets candidates after the restart of ICE`,
    });
    await person.by('second').click();
    await other.seesMoving(person, 'second');
  }
  await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
  for (const [person, other] of [
    [wei, ana],
    [ana, wei],
  ] as const) {
    const second = await other.tileOf(person.name, 'second');
    await person.by('second').click();
    await second.waitFor({ state: 'detached' });
  }
}

/** The seq of the newest candidate that came in; the log on the page holds the newest lines alone. */
async function newestCandidate(person: Person): Promise<number> {
  const lines = person.page.locator(
    '[data-testid=wire-line][data-what=candidate][data-direction=in][data-seq]',
  );
  return (await lines.count()) === 0 ? 0 : Number(await lines.last().getAttribute('data-seq'));
}
