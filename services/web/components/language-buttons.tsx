import { LANGUAGE_NAMES, type Language, languageTag } from '../language.ts';

interface LanguageButtonsProps {
  readonly label: string;
  readonly current: Language;
  readonly onPick: (language: Language) => void;
}

/** One button a language, each under its own name; for every page. */
export function LanguageButtons({ label, current, onPick }: LanguageButtonsProps) {
  return (
    <fieldset class="languages">
      <legend class="unseen">{label}</legend>
      {(Object.keys(LANGUAGE_NAMES) as Language[]).map((language) => (
        <button
          key={language}
          type="button"
          lang={languageTag(language)}
          aria-pressed={current === language}
          data-testid={`language-${language}`}
          onClick={() => onPick(language)}
        >
          {LANGUAGE_NAMES[language]}
        </button>
      ))}
    </fieldset>
  );
}
