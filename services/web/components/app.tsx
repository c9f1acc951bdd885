import { useEffect } from 'preact/hooks';
import { CallRoom } from './call-room.tsx';
import { Lobby } from './lobby.tsx';
import { useStore } from './store-context.ts';

/** The call page: the lobby, or the room that one is in. */
export function App() {
  const store = useStore();
  const { language, stage, strings, room } = store;
  const isInCall = stage.value === 'call';

  useEffect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-Hans' : 'en';
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
