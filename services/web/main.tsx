import { render } from 'preact';
import { CallStore } from './call-store.ts';
import { App } from './components/app.tsx';
import { StoreContext } from './components/store-context.ts';
import { readPageAddress } from './page-address.ts';

const store = new CallStore(readPageAddress(location));
const page = document.getElementById('page');
if (page !== null) {
  render(
    <StoreContext value={store}>
      <App />
    </StoreContext>,
    page,
  );
}
