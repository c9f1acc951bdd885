import { useEffect, useLayoutEffect } from 'preact/hooks';
import { languageTag } from '../language.ts';
import { CallRoom } from './call-room.tsx';
import { Lobby } from './lobby.tsx';
import { useStore } from './store-context.ts';

/** The call page: the lobby, or the room that one is in. */
export function App() {
  const store = useStore();
  const { language, stage, strings, room } = store;
  const isInCall = stage.value === 'call';

  // In the same step as the words, so that none is read out in the other language's voice.
  useLayoutEffect(() => {
    document.documentElement.lang = languageTag(language.value);
    document.title = isInCall ? `${room.value} · ${strings.value.product}` : strings.value.product;
  }, [language.value, isInCall]);

  useEffect(() => {
    const wake = () => store.wake();
    const leave = () => void store.leave();
    const press = (event: KeyboardEvent) => {
      wake();
      if (store.stage.value !== 'call' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLInputElement) return;
      if (event.key.toLowerCase() === 'm') store.toggleMicrophone();
      if (event.key.toLowerCase() === 'v') store.toggleCamera();
    };
    addEventListener('pointerdown', wake);
    addEventListener('keydown', press);
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pointerdown', wake);
      removeEventListener('keydown', press);
      removeEventListener('pagehide', leave);
    };
  }, [store]);

  return isInCall ? <CallRoom /> : <Lobby />;
}
