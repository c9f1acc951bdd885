import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Language } from '../../language.ts';
import { STRINGS, type Strings } from '../strings.ts';

export const LanguageContext = createContext<Language>('en');

/** The report's words in the language that is on. */
export function useStrings(): Strings {
  return STRINGS[useContext(LanguageContext)];
}
