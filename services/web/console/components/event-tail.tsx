import { detailsOf, eventWords, originOf } from '../event-words.ts';
import { clock } from '../figures.ts';
import { useStore, useStrings } from './store-context.ts';

/** What happens in the cluster, newest first. */
export function EventTail() {
  const { events, eventsFailure, language } = useStore();
  const strings = useStrings();
  const shown = events.value;
  return (
    <section class="tail" aria-labelledby="tail-title">
      <h2 id="tail-title">{strings.events}</h2>
      <ol
        data-testid="events"
        aria-labelledby="tail-title"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
        tabIndex={0}
      >
        {shown.length === 0 && (
          <li class="quiet">{eventsFailure.value === undefined ? strings.noEvents : strings.noEventsHere}</li>
        )}
        {shown.map((event) => {
          const at = new Date(event.at);
          return (
            <li key={event.id} data-testid="event" data-event={event.event}>
              <time dateTime={Number.isNaN(at.getTime()) ? undefined : at.toISOString()}>{clock(at)}</time>
              <b>{eventWords(event, language.value)}</b>
              <span class="quiet">{event.node}</span>
              <span class="details">
                {detailsOf(event)} <span class="origin">{originOf(event)}</span>
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
