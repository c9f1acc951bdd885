import { useEffect, useRef, useState } from 'preact/hooks';
import { CHAT_CHARS_MAX, type ChatLine } from '../chat-lines.ts';
import { hueOf } from '../hue.ts';
import { isMuted } from '../room-rules.ts';
import { Icon } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

export function ChatPanel({ isShown }: { isShown: boolean }) {
  const store = useStore();
  const strings = useStrings();
  const [draft, setDraft] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const lines = store.chat.value;
  const self = store.self.value;
  const isBarred = isMuted(self, 'message');
  const whyNot = self?.role === 'listener' ? strings.listenersOnly : strings.mutedByHost.message;

  useEffect(() => {
    if (isShown) input.current?.focus();
  }, [isShown]);
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [lines.length, isShown]);

  return (
    <section class="chat" hidden={!isShown} aria-label={strings.chat}>
      <div class="chat-lines" ref={list} role="log" aria-live="polite">
        <ol data-testid="chat-lines">
          {lines.length === 0 && <li class="quiet">{strings.chatEmpty}</li>}
          {lines.map((line) => (
            <Line key={line.key} line={line} />
          ))}
        </ol>
      </div>
      <form
        class="chat-form"
        onSubmit={(event) => {
          event.preventDefault();
          void store.say(draft);
          setDraft('');
        }}
      >
        <input
          ref={input}
          data-testid="chat-input"
          value={draft}
          onInput={(event) => setDraft(event.currentTarget.value)}
          maxLength={CHAT_CHARS_MAX}
          placeholder={isBarred ? whyNot : strings.writeMessage}
          aria-label={isBarred ? whyNot : strings.writeMessage}
          disabled={isBarred}
          autocomplete="off"
          enterkeyhint="send"
        />
        <button
          class="primary"
          type="submit"
          aria-label={strings.send}
          title={strings.send}
          disabled={isBarred}
        >
          <Icon name="send" />
        </button>
      </form>
    </section>
  );
}

function Line({ line }: { line: ChatLine }) {
  const { language } = useStore();
  const strings = useStrings();
  const { who, text, at, isOwn, status, error } = line;
  return (
    <li
      class={isOwn ? 'chat-line own' : 'chat-line'}
      data-testid="chat-line"
      data-status={status}
      style={{ '--hue': hueOf(who) }}
    >
      <span class="chat-head">
        <b>{isOwn ? strings.you : who}</b>
        <time dateTime={at.toISOString()}>
          {at.toLocaleTimeString(language.value, { hour: '2-digit', minute: '2-digit' })}
        </time>
        {status === 'sending' && <i>{strings.sending}</i>}
        {status === 'lost' && (
          <i class="bad" title={error && strings.errors[error]}>
            {strings.notSent}
          </i>
        )}
      </span>
      <span class="chat-text" dir="auto">
        {text}
      </span>
    </li>
  );
}
