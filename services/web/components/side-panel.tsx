import { ChatPanel } from './chat-panel.tsx';
import { Icon } from './icons.tsx';
import { SignalsPanel } from './signals-panel.tsx';
import { useStore, useStrings } from './store-context.ts';

/** Beside the pictures on a wide screen, over them on a narrow one. */
export function SidePanel() {
  const store = useStore();
  const strings = useStrings();
  const { panel } = store;
  const title = panel.value === 'chat' ? strings.chat : strings.signals;
  return (
    <aside
      class="panel"
      data-testid="panel"
      hidden={panel.value === undefined}
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === 'Escape') store.openPanel(undefined);
      }}
    >
      <header class="panel-bar">
        <h2>{title}</h2>
        <button
          class="bare"
          type="button"
          aria-label={strings.close}
          data-testid="close-panel"
          onClick={() => store.openPanel(undefined)}
        >
          <Icon name="close" />
        </button>
      </header>
      <SignalsPanel isShown={panel.value === 'signals'} />
      <ChatPanel isShown={panel.value === 'chat'} />
    </aside>
  );
}
