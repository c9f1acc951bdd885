import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { CallStore } from '../call-store.ts';
import type { Strings } from '../strings.ts';

export const StoreContext = createContext<CallStore | undefined>(undefined);

export function useStore(): CallStore {
  const store = useContext(StoreContext);
  if (store === undefined) throw new Error('There is no store above this component.');
  return store;
}

/** The page's words in the language that is on. */
export function useStrings(): Strings {
  return useStore().strings.value;
}
