import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { FailureCode } from '../admin-api.ts';
import type { Field, Order, Values } from '../orders.ts';
import { focusHome } from './focus-home.ts';
import { useStore, useStrings } from './store-context.ts';

/** Says what is going to happen to whom, and gives the order only then. Escape, or Cancel, and nothing happens. */
export function OrderDialog({ order }: { order: Order }) {
  const store = useStore();
  const strings = useStrings();
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<FailureCode | undefined>(undefined);
  const { question } = order;

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // A key that is held down must not confirm what it has just asked for.
    const first = form.current?.querySelector<HTMLElement>('input, textarea, select');
    (question?.isGrave ? cancel.current : (first ?? cancel.current))?.focus();
    return () => {
      element?.close(); // The browser gives the focus back to where it was, if that is still there.
      if (document.activeElement === document.body) focusHome();
    };
  }, [question]);

  if (question === undefined) return null;
  const dismiss = () => {
    if (store.asked.value === order) store.asked.value = undefined;
  };
  const give = async () => {
    if (form.current === null || isSending) return;
    setSending(true);
    setFailure(undefined);
    const failed = await store.give(order, valuesOf(form.current));
    setSending(false);
    setFailure(failed);
  };
  return (
    <dialog
      ref={dialog}
      class="order"
      data-testid="dialog"
      data-order={order.name}
      aria-labelledby="order-title"
      aria-describedby="order-text"
      onClose={dismiss}
    >
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          void give();
        }}
      >
        <h2 id="order-title">{question.title(strings)}</h2>
        <p id="order-text">{question.text(strings)}</p>
        {question.fields.map((field) => (
          <OrderField key={field.name} field={field} />
        ))}
        <p class="failure" role="alert" data-code={failure}>
          {failure === undefined ? '' : strings.failures[failure]}
        </p>
        <div class="choices">
          <button ref={cancel} type="button" class="plain" data-testid="cancel" onClick={dismiss}>
            {strings.cancel}
          </button>
          <button
            type="submit"
            class={question.isGrave ? 'primary grave' : 'primary'}
            data-testid="confirm"
            aria-disabled={isSending}
          >
            {isSending ? strings.sending : question.confirm(strings)}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function OrderField({ field }: { field: Field }) {
  const strings = useStrings();
  const { name, label, shape, value, isRequired, charsMax, pattern } = field;
  const id = `field-${name}`;
  const common = { id, name, 'data-testid': id };
  const typed = { ...common, defaultValue: value ?? '', required: isRequired === true, maxLength: charsMax };
  return (
    <div class="field">
      <label for={id}>{label(strings)}</label>
      {shape === 'line' && <input {...typed} pattern={pattern} autocomplete="off" />}
      {shape === 'area' && <textarea {...typed} rows={3} autocomplete="off" />}
      {typeof shape === 'object' && (
        <select {...common}>
          {shape.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.label(strings)}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function valuesOf(form: HTMLFormElement): Values {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}
