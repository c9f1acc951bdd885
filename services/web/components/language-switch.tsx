import { LanguageButtons } from './language-buttons.tsx';
import { useStore, useStrings } from './store-context.ts';

export function LanguageSwitch() {
  const store = useStore();
  const { language } = useStrings();
  return (
    <LanguageButtons
      label={language}
      current={store.language.value}
      onPick={(picked) => store.setLanguage(picked)}
    />
  );
}
