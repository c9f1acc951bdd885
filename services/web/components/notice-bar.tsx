import { Icon } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What went wrong, or is not as asked, in a person's words. */
export function NoticeBar() {
  const { notice } = useStore();
  const strings = useStrings();
  const shown = notice.value;
  if (shown === undefined) return null;
  return (
    <div
      class="notice"
      data-testid="notice"
      data-tone={shown.tone}
      data-code={shown.code}
      role={shown.tone === 'error' ? 'alert' : 'status'}
    >
      <span>{shown.words(strings)}</span>
      <button
        type="button"
        class="bare"
        aria-label={strings.dismiss}
        onClick={() => {
          notice.value = undefined;
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
