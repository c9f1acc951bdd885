import { LANGUAGE_NAMES, type Language } from '../strings.ts';
import { useStore, useStrings } from './store-context.ts';

export function LanguageSwitch() {
  const store = useStore();
  const strings = useStrings();
  return (
    <fieldset class="languages">
      <legend class="unseen">{strings.language}</legend>
      {(Object.keys(LANGUAGE_NAMES) as Language[]).map((language) => (
        <button
          key={language}
          type="button"
          lang={language === 'zh' ? 'zh-Hans' : language}
          aria-pressed={store.language.value === language}
          data-testid={`language-${language}`}
          onClick={() => store.setLanguage(language)}
        >
          {LANGUAGE_NAMES[language]}
        </button>
      ))}
    </fieldset>
  );
}
