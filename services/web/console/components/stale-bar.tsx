import { useStore, useStrings } from './store-context.ts';

/** Says that the figures are old, and why. */
export function StaleBar() {
  const freshness = useStore().freshness.value;
  const strings = useStrings();
  const { stale } = strings;
  return (
    <div class="stale-bar" role="status" data-testid="stale">
      {freshness.state === 'behind' && (
        <p class="notice" data-tone="error" data-code={freshness.code}>
          <span>
            {strings.behind(
              freshness.code === 'unavailable' || freshness.code === 'unreachable'
                ? stale[freshness.code]
                : stale.other,
              Math.round(freshness.retryInMs / 1_000),
            )}
          </span>
        </p>
      )}
    </div>
  );
}
