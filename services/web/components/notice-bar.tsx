import { Icon } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What went wrong, is not as asked, or was decided by others, in a person's words. */
export function NoticeBar() {
  const store = useStore();
  const strings = useStrings();
  return store.notices.value.map(({ key, tone, code, about, words }) => (
    <div
      key={key}
      class="notice"
      data-testid="notice"
      data-tone={tone}
      data-code={code}
      data-about={about}
      role={tone === 'error' ? 'alert' : 'status'}
    >
      <span>{words(strings)}</span>
      <button type="button" class="bare" aria-label={strings.dismiss} onClick={() => store.dismiss(key)}>
        <Icon name="close" />
      </button>
    </div>
  ));
}
