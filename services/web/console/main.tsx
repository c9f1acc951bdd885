import { render } from 'preact';
import { Console } from './components/console.tsx';
import { StoreContext } from './components/store-context.ts';
import { ConsoleStore } from './console-store.ts';

const page = document.getElementById('page');
if (page !== null) {
  render(
    <StoreContext value={new ConsoleStore()}>
      <Console />
    </StoreContext>,
    page,
  );
}
