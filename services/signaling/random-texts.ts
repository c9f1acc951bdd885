import { randomFillSync } from 'node:crypto';

/** So many bytes are asked for at once: to ask for a few takes nearly as long. */
const STORE_BYTES = 4_096;

/** Makes texts (base64url) of so many random bytes each, from a store of them. What was given out is not kept. */
export function randomTexts(): (bytes: number) => string {
  const store = Buffer.alloc(STORE_BYTES);
  let at = STORE_BYTES;
  return (bytes) => {
    if (at + bytes > STORE_BYTES) {
      randomFillSync(store);
      at = 0;
    }
    const from = at;
    at += bytes;
    const text = store.toString('base64url', from, at);
    store.fill(0, from, at);
    return text;
  };
}
