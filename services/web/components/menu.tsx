import { type ComponentChildren, Fragment } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';

interface MenuProps {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  readonly class: string;
  /** Called while the menu is open; `close` gives the focus back to the button. */
  children(close: () => void): ComponentChildren;
}

/** A button that opens a few others beside it; on a narrow screen at its foot. Escape closes it, as does a press elsewhere. */
export function Menu({ id, label, icon, class: className, children }: MenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const openings = useRef(0);
  /** Which opening this is; 0: closed. */
  const [opening, setOpening] = useState(0);

  useLayoutEffect(() => {
    if (opening === 0 || panel.current === null || button.current === null) return;
    place(panel.current, button.current);
    panel.current.querySelector('button')?.focus();
  }, [opening]);

  return (
    <>
      <button
        ref={button}
        type="button"
        class={className}
        data-testid={id}
        aria-label={label}
        title={label}
        aria-haspopup="dialog"
        aria-expanded={opening > 0}
        onClick={() => panel.current?.togglePopover()}
      >
        <Icon name={icon} />
      </button>
      <div
        ref={panel}
        popover="auto"
        class="menu"
        role="dialog"
        aria-label={label}
        // Of a menu that is closed and opened again within a moment, `toggle` tells nothing.
        onBeforeToggle={(event) => event.newState === 'open' && setOpening(++openings.current)}
        onToggle={(event) => event.newState === 'closed' && setOpening(0)}
        onKeyDown={(event) => step(event.currentTarget, event)}
      >
        {opening > 0 && (
          <Fragment key={opening}>
            <b class="menu-head">{label}</b>
            {children(() => panel.current?.hidePopover())}
          </Fragment>
        )}
      </div>
    </>
  );
}

export function MenuItem(props: {
  readonly id: string;
  readonly text: string;
  readonly tone?: 'harm';
  onPress(): void;
}) {
  return (
    <button
      type="button"
      class="menu-item"
      data-testid={props.id}
      data-tone={props.tone}
      onClick={props.onPress}
    >
      {props.text}
    </button>
  );
}

/** Asks once more, in the menu's place. */
export function Confirmation(props: {
  readonly question: string;
  readonly action: string;
  readonly cancel: string;
  onConfirm(): void;
  onCancel(): void;
}) {
  const cancel = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => cancel.current?.focus(), []);
  return (
    <div class="confirmation">
      <p>{props.question}</p>
      <span>
        <button ref={cancel} type="button" class="plain" data-testid="cancel" onClick={props.onCancel}>
          {props.cancel}
        </button>
        <button type="button" class="plain harm" data-testid="confirm" onClick={props.onConfirm}>
          {props.action}
        </button>
      </span>
    </div>
  );
}

const MARGIN_PX = 8;

/** Below the button or above it, wherever it is seen as a whole; what is drawn on narrow screens does not look at this. */
function place(panel: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const below = at.bottom + MARGIN_PX;
  const top = below + height > innerHeight - MARGIN_PX ? at.top - height - MARGIN_PX : below;
  const left = Math.min(at.left, innerWidth - width - MARGIN_PX);
  panel.style.setProperty('--top', `${Math.max(MARGIN_PX, top)}px`);
  panel.style.setProperty('--left', `${Math.max(MARGIN_PX, left)}px`);
}

function step(panel: HTMLElement, event: KeyboardEvent): void {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (by === 0) return;
  event.preventDefault();
  const buttons = [...panel.querySelectorAll('button')];
  const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
  buttons.at((now + by + buttons.length) % buttons.length)?.focus();
}
