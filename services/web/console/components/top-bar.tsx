import { LanguageButtons } from '../../components/language-buttons.tsx';
import { announce } from '../orders.ts';
import { linkTo, type Place } from '../place.ts';
import { useStore, useStrings } from './store-context.ts';

const VIEWS = ['nodes', 'rooms', 'events'] as const satisfies readonly Place['view'][];

export function TopBar() {
  const store = useStore();
  const strings = useStrings();
  const { state } = store.freshness.value;
  const here = store.place.value.view;
  return (
    <header class="top-bar">
      <img src="./beacon.svg" alt={strings.product} width="30" height="30" />
      <h1 class="wide-only">{strings.console}</h1>
      <nav aria-label={strings.views}>
        {VIEWS.map((view) => (
          <a
            key={view}
            href={linkTo({ view })}
            aria-current={view === here ? 'page' : undefined}
            data-testid={`view-${view}`}
          >
            {strings[view]}
          </a>
        ))}
      </nav>
      <span class="pill" data-testid="freshness" data-state={state} title={strings.asked(location.host)}>
        <span class="dot" />
        {state === 'live' ? strings.live : state === 'behind' ? strings.behindShort : strings.looking}
      </span>
      <button
        type="button"
        class="plain"
        data-testid="announce"
        onClick={() => store.order(announce(store.nodes.value))}
      >
        {strings.announce}
      </button>
      <LanguageButtons
        label={strings.language}
        current={store.language.value}
        onPick={(language) => store.setLanguage(language)}
      />
      <button type="button" class="plain" data-testid="sign-out" onClick={() => store.signOut()}>
        {strings.signOut}
      </button>
    </header>
  );
}
