import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Puts the focus where one finds one's way again: the heading of what is shown. */
export function focusHome(): void {
  const home = document.querySelector<HTMLElement>('[data-home]') ?? document.getElementById('view');
  home?.focus();
}

/** A row that goes away with the focus in it hands the focus on, rather than to drop it. */
export function useFocusHandedOn(row: RefObject<HTMLElement | null>): void {
  useLayoutEffect(
    () => () => {
      if (row.current?.contains(document.activeElement)) focusHome();
    },
    [row],
  );
}
