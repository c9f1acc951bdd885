import { useLayoutEffect, useRef } from 'preact/hooks';
import type { LogLine } from '../call-store.ts';
import { milliseconds } from '../milliseconds.ts';
import { useStore, useStrings } from './store-context.ts';

/** Every signal as it passes, with its number in the room's log. Follows the newest unless one has scrolled back. */
export function WireLog() {
  const { log } = useStore();
  const strings = useStrings();
  const list = useRef<HTMLOListElement>(null);
  const isFollowing = useRef(true);
  const top = useRef(0);
  useLayoutEffect(() => {
    const element = list.current;
    if (element !== null && isFollowing.current) element.scrollTop = element.scrollHeight;
  });
  return (
    <div class="wire">
      <h3 id="wire-title">{strings.wireLog}</h3>
      <ol
        ref={list}
        class="wire-log"
        aria-labelledby="wire-title"
        data-testid="wire-log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
        tabIndex={0}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          // Only a person scrolls up; new lines, and a panel that shrinks, leave the place as it is.
          if (scrollTop < top.current) isFollowing.current = false;
          if (scrollHeight - scrollTop - clientHeight < 24) isFollowing.current = true;
          top.current = scrollTop;
        }}
      >
        {log.value.length === 0 && <li class="quiet">{strings.logEmpty}</li>}
        {log.value.map((line) => (
          <Line key={line.key} line={line} />
        ))}
      </ol>
    </div>
  );
}

function Line({ line }: { line: LogLine }) {
  const { direction, what, seq, who, at, note, tookMs, isAcrossNodes } = line;
  const isEntry = what === 'join' || what === 'resume';
  return (
    <li
      class={who === undefined ? 'impersonal' : ''}
      data-testid="wire-line"
      data-what={what}
      data-direction={direction}
      data-seq={seq}
    >
      <time dateTime={at.toISOString()}>{clock(at)}</time>
      <span class="seq">{seq ?? ''}</span>
      <span class="arrow">{ARROWS[direction]}</span>
      <span class={`what ${what}`}>{what.replaceAll('_', ' ')}</span>
      <span class="who">
        {who}
        {isAcrossNodes && <span class="across"> ⌇</span>}
        {note !== undefined && <em> {note}</em>}
        {isEntry && tookMs !== undefined && ` ${milliseconds(tookMs)}`}
      </span>
    </li>
  );
}

const ARROWS = { in: '←', out: '→', here: '×' } as const;

function clock(at: Date): string {
  const tenths = Math.floor(at.getMilliseconds() / 100);
  return `${at.toLocaleTimeString('en-GB')}.${tenths}`;
}
