import { Icon } from '../../components/icons.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What came of what one did. The list is always there: a screen reader tells what is put into it. */
export function NoteList() {
  const store = useStore();
  const strings = useStrings();
  return (
    <ol class="notes" aria-live="polite" aria-label={strings.messages}>
      {store.notes.value.map(({ key, tone, words, code }) => (
        <li key={key} class="notice" data-testid="note" data-tone={tone} data-code={code}>
          <span>{words(strings)}</span>
          <button type="button" class="bare" aria-label={strings.dismiss} onClick={() => store.dismiss(key)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ol>
  );
}
