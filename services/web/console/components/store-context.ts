import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ConsoleStore } from '../console-store.ts';
import type { Strings } from '../strings.ts';

export const StoreContext = createContext<ConsoleStore | undefined>(undefined);

export function useStore(): ConsoleStore {
  const store = useContext(StoreContext);
  if (store === undefined) throw new Error('There is no store above this component.');
  return store;
}

/** The console's words in the language that is on. */
export function useStrings(): Strings {
  return useStore().strings.value;
}
