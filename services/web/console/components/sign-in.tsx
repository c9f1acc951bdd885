import { useEffect, useRef } from 'preact/hooks';
import { LanguageButtons } from '../../components/language-buttons.tsx';
import { useStore, useStrings } from './store-context.ts';

/** Asks for the token, and says why it was not taken. */
export function SignIn() {
  const store = useStore();
  const strings = useStrings();
  const field = useRef<HTMLInputElement>(null);
  const isAsking = store.stage.value === 'asking';
  const failure = store.signInFailure.value;
  useEffect(() => field.current?.select(), [failure]);
  return (
    <div class="sign-in">
      <header>
        <LanguageButtons
          label={strings.language}
          current={store.language.value}
          onPick={(language) => store.setLanguage(language)}
        />
      </header>
      <main>
        <img src="./beacon.svg" alt="" width="56" height="56" />
        <h1>
          {strings.product} <span>{strings.console}</span>
        </h1>
        <form
          data-testid="sign-in"
          onSubmit={(event) => {
            event.preventDefault();
            const token = field.current?.value.trim() ?? '';
            if (token !== '' && !isAsking) void store.signIn(token);
          }}
        >
          <input type="text" autocomplete="username" value="operator" readOnly hidden />
          <label>
            <span>{strings.token}</span>
            <input
              ref={field}
              type="password"
              data-testid="token"
              autocomplete="current-password"
              aria-describedby="token-hint sign-in-failure"
              aria-invalid={failure === 'unauthorized'}
              required
            />
          </label>
          <small id="token-hint">{strings.tokenHint}</small>
          <button class="primary" type="submit" data-testid="enter" aria-disabled={isAsking}>
            {isAsking ? strings.signingIn : strings.signIn}
          </button>
          <p id="sign-in-failure" class="failure" role="alert" data-testid="failure" data-why={failure}>
            {failure === undefined ? '' : strings.signInFailures[failure]}
          </p>
        </form>
      </main>
    </div>
  );
}
