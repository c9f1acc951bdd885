import { useLayoutEffect } from 'preact/hooks';
import { languageTag } from '../../language.ts';
import { EventTail } from './event-tail.tsx';
import { NodesView } from './nodes-view.tsx';
import { NoteList } from './note-list.tsx';
import { OrderDialog } from './order-dialog.tsx';
import { RoomsView } from './rooms-view.tsx';
import { SignIn } from './sign-in.tsx';
import { StaleBar } from './stale-bar.tsx';
import { useStore } from './store-context.ts';
import { TopBar } from './top-bar.tsx';

/** The operators' console: the way in, or the cluster. */
export function Console() {
  const { language, strings, stage, place, asked } = useStore();
  // In the same step as the words, so that none is read out in the other language's voice.
  useLayoutEffect(() => {
    document.documentElement.lang = languageTag(language.value);
    document.title = strings.value.title;
  }, [language.value, strings.value]);

  if (stage.value !== 'signed-in') return <SignIn />;
  const { view } = place.value;
  return (
    <div class="console" data-testid="console" data-view={view}>
      <TopBar />
      <StaleBar />
      <main class="view" id="view" tabIndex={-1}>
        {view === 'nodes' && <NodesView />}
        {view === 'rooms' && <RoomsView />}
        {view === 'events' && <EventTail />}
      </main>
      <NoteList />
      {asked.value !== undefined && <OrderDialog key={asked.value} order={asked.value} />}
    </div>
  );
}
