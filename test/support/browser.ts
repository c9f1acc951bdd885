import { type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

import { capabilities } from './capabilities.ts';
import { eventually } from './eventually.ts';

/**
 * Media in the browser itself: a camera and a microphone made up by Chromium, allowed without asking. Ten pictures a second,
 * since those of four people are encoded twelve times on one machine.
 */
const FLAGS = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream=fps=10',
  '--use-fake-ui-for-media-stream',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  // Without a graphics card this draws faster than the emulation of one.
  '--disable-gpu',
];

export const LAPTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export interface CallBrowser {
  /** A person at the page of one node, in a browser profile of their own, before they enter. */
  open(url: string, options?: OpenOptions): Promise<Person>;
  /** Opens the page and enters. */
  enter(
    url: string,
    options: OpenOptions & { readonly name: string; readonly room: string },
  ): Promise<Person>;
  /** Closes every page, and with them every connection. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Default: drawn, which costs the least. */
  readonly media?: 'fake' | 'camera';
  /** More of the page's address: `{ lang: 'zh' }`. */
  readonly query?: Readonly<Record<string, string>>;
  /** What follows the `#`. */
  readonly fragment?: string;
  readonly context?: BrowserContextOptions;
  /** Run in the page before its own code, in any order. */
  readonly before?: (() => void) | readonly (() => void)[];
}

/** Starts one Chromium; `flags` are its own. */
export async function openBrowser(...flags: readonly string[]): Promise<CallBrowser> {
  if (capabilities.chromium === false)
    throw new Error('no chromium: skip this test by capabilities.chromium');
  const browser = await chromium.launch({
    executablePath: capabilities.chromium,
    args: [...FLAGS, ...flags],
  });

  async function open(url: string, options: OpenOptions = {}): Promise<Person> {
    const context = await browser.newContext({
      viewport: { width: 900, height: 640 },
      permissions: ['camera', 'microphone'],
      locale: 'en-US',
      reducedMotion: 'reduce',
      ...options.context,
    });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
    for (const script of [options.before ?? []].flat()) await page.addInitScript(script);
    const address = new URL(url);
    address.search = new URLSearchParams({ media: options.media ?? 'fake', ...options.query }).toString();
    address.hash = options.fragment ?? '';
    await page.goto(address.href);
    return new Person(page, faults);
  }

  return {
    open,
    async enter(url, { name, room, ...options }) {
      const person = await open(url, { ...options, query: { ...options.query, room } });
      await person.enter(name);
      return person;
    },
    async closePages() {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    close: () => browser.close(),
  };
}

/** Somebody who looks at the call page, and does what a person can do there. */
export class Person {
  readonly page: Page;
  /** What went wrong in the page's own code. */
  readonly faults: readonly string[];
  #name = '';

  constructor(page: Page, faults: readonly string[]) {
    this.page = page;
    this.faults = faults;
  }

  get name(): string {
    return this.#name;
  }

  by(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Types a name, presses the button, and waits until the node has answered. */
  async enter(name: string): Promise<void> {
    this.#name = name;
    await this.by('name').fill(name);
    await this.by('enter').click();
    await this.isConnected();
  }

  async isConnected(): Promise<void> {
    await this.page.locator('[data-testid=call][data-phase=connected]').waitFor();
  }

  async leave(): Promise<void> {
    await this.by('leave').click();
  }

  /**
   * Waits until from each of the others more than 20 pictures are decoded here, and a voice that goes on; both from
   * now, whatever came before.
   */
  async seesAndHears(...others: Person[]): Promise<void> {
    const before = await this.ways();
    const firstEnergy = new Map<string, number>();
    const arrival = eventually(
      async () => {
        const ways = await this.ways();
        for (const { name } of others) {
          const way = ways.find((one) => one.name === name);
          const framesBefore = before.find((one) => one.name === name)?.framesDecoded ?? 0;
          const energy = way?.audioEnergy ?? 0;
          if (energy > 0 && !firstEnergy.has(name)) firstEnergy.set(name, energy);
          const isSeen = way?.ice === 'connected' && way.framesDecoded > framesBefore + 8;
          const isHeard = energy > (firstEnergy.get(name) ?? Number.POSITIVE_INFINITY);
          if (!isSeen || !isHeard) throw new Error(`the way to ${name} is ${JSON.stringify(way)}`);
        }
      },
      { timeoutMs: 40_000, everyMs: 200, what: `${this.name} sees and hears ${names(others)}` },
    );
    await arrival.catch(async (error: Error) => {
      throw new Error([error.message, ...this.faults, ...(await this.wireLog())].join('\n'));
    });
  }

  /** What the panel says of the way to one other person; undefined while they are not in the room. */
  async wayTo(name: string): Promise<Way | undefined> {
    return (await this.ways()).find((way) => way.name === name);
  }

  ways(): Promise<Way[]> {
    return this.by('way').evaluateAll((rows) =>
      (rows as HTMLElement[]).map(({ dataset }) => ({
        name: dataset.name ?? '',
        peer: dataset.peer ?? '',
        node: dataset.node ?? '',
        path: dataset.path ?? '',
        ...(dataset.echo === undefined ? {} : { echoMs: Number(dataset.echo) }),
        isConnected: dataset.connected === 'true',
        ice: dataset.ice ?? '',
        framesDecoded: Number(dataset.framesDecoded),
        audioEnergy: Number(dataset.audioEnergy),
        ...(dataset.pair === undefined ? {} : { pair: dataset.pair }),
      })),
    );
  }

  /** Waits until exactly these others are in the room, in its panel and among its pictures. */
  async seesOnly(...others: Person[]): Promise<void> {
    const expected = others.map(({ name }) => name).sort();
    await eventually(
      async () => {
        const named = (await this.ways()).map(({ name }) => name).sort();
        const tiles = await this.page.locator('[data-testid=tile][data-picture=main]').count();
        if (named.join() !== expected.join() || tiles !== others.length) {
          throw new Error(`the panel names ${named.join(', ') || 'nobody'}, and there are ${tiles} pictures`);
        }
      },
      { timeoutMs: 15_000, everyMs: 100, what: `${this.name} sees ${names(others)}` },
    );
  }

  /**
   * Notes from now on when a picture of another person is decoded here. Apart from what is drawn: that may lag on a
   * busy machine, and says nothing of the connection.
   */
  async watchFrames(other: Person): Promise<FrameWatch> {
    const video = (await this.tileOf(other.name)).locator('video');
    const watch = await video.evaluateHandle(watchDecodedFrames);
    return {
      count: () => watch.evaluate((one) => one.count),
      longestGapMs: () => watch.evaluate((one) => one.longestGapMs()),
    };
  }

  /** Waits until the panel tells how the session came by another connection than its first, and how long that took. */
  async isBack(kind: 'recovered' | 'lossy' | 'rejoined' = 'recovered'): Promise<number> {
    const comeback = this.page.locator(`[data-testid=comeback][data-kind=${kind}]`);
    await comeback.waitFor({ timeout: 40_000 });
    await this.isConnected();
    return Number(await comeback.getAttribute('data-gap'));
  }

  /** The id of one's own peer. */
  ownId(): Promise<string | null> {
    return this.by('own-node').getAttribute('data-self');
  }

  /** Waits until the picture of another person moves. */
  async seesMoving(other: Person, picture: 'main' | 'second'): Promise<Locator> {
    const tile = await this.tileOf(other.name, picture);
    await tile.waitFor();
    await eventually(async () => (await tile.locator('video').evaluate(framesShown)) > 5, {
      timeoutMs: 20_000,
      everyMs: 100,
      what: `the ${picture} picture of ${other.name} moves on the page of ${this.name}`,
    });
    return tile;
  }

  /** The picture of another person; `second` is a further track. */
  async tileOf(name: string, picture: 'main' | 'second' = 'main'): Promise<Locator> {
    const way = await this.wayTo(name);
    return this.page.locator(`[data-testid=tile][data-peer="${way?.peer}"][data-picture=${picture}]`);
  }

  /** Lines of the live log: what passed this page, by direction. */
  async wireLines(what: string, direction: 'in' | 'out' | 'here'): Promise<number> {
    return this.page
      .locator(`[data-testid=wire-line][data-what=${what}][data-direction=${direction}]`)
      .count();
  }

  /** The live log as it reads. */
  wireLog(): Promise<string[]> {
    return this.by('wire-line').evaluateAll((lines) =>
      lines.map((line) => [...line.children].map(({ textContent }) => textContent).join(' ')),
    );
  }

  async say(text: string): Promise<void> {
    if (!(await this.by('chat-input').isVisible())) await this.by('show-chat').click();
    await this.by('chat-input').fill(text);
    await this.by('chat-input').press('Enter');
  }

  /** The chat as it reads here, from top to bottom, of what has arrived. */
  async chat(): Promise<string[]> {
    return this.page.locator('[data-testid=chat-line][data-status=there] .chat-text').allTextContents();
  }

  /** How far the page is wider than its window, in CSS pixels. */
  overflowPx(): Promise<number> {
    return this.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
  }
}

export interface FrameWatch {
  count(): Promise<number>;
  /** Between two pictures, or from the last one until now; without what the machine let the page itself stand still. */
  longestGapMs(): Promise<number>;
}

/** Runs in the page. */
function watchDecodedFrames(video: Element): { count: number; longestGapMs(): number } {
  const [track] = ((video as HTMLVideoElement).srcObject as MediaStream).getVideoTracks();
  type Frames = { readable: ReadableStream<{ close(): void }> };
  const Processor = (window as unknown as { MediaStreamTrackProcessor: new (init: object) => Frames })
    .MediaStreamTrackProcessor;
  const reader = new Processor({ track: track?.clone() }).readable.getReader();
  const watch = { count: 0, lastAt: performance.now(), longest: 0, longestGapMs };
  // A busy machine stops pages, too, for as long as a call must not stand still: that is told by their own clock.
  const TICK_MS = 20;
  let tickedAt = performance.now();
  let stoodStillMs = 0;
  setInterval(() => {
    const nowMs = performance.now();
    stoodStillMs += Math.max(0, nowMs - tickedAt - 2 * TICK_MS);
    tickedAt = nowMs;
  }, TICK_MS);
  function longestGapMs(): number {
    return Math.max(watch.longest, performance.now() - watch.lastAt - stoodStillMs);
  }
  void (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      next.value.close();
      watch.longest = longestGapMs();
      watch.lastAt = performance.now();
      stoodStillMs = 0;
      watch.count++;
    }
  })();
  return watch;
}

function framesShown(video: Element): number {
  return video instanceof HTMLVideoElement ? video.getVideoPlaybackQuality().totalVideoFrames : 0;
}

function names(people: readonly Person[]): string {
  return people.map(({ name }) => name).join(', ') || 'nobody else';
}

/** The way to one other person, as the panel shows it. */
export interface Way {
  readonly name: string;
  readonly peer: string;
  readonly node: string;
  readonly path: string;
  /** How long a word takes there and back over the nodes, once that was measured. */
  readonly echoMs?: number;
  /** False while that person has no node. */
  readonly isConnected: boolean;
  readonly ice: string;
  /** Types of the two candidates that media goes between. */
  readonly pair?: string;
  readonly framesDecoded: number;
  readonly audioEnergy: number;
}
