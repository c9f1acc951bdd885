import { NotOpened, openConnection } from '../connection.ts';
import type { Credentials, Target } from './plan.ts';
import { tokenFor } from './tokens.ts';

const OPEN_MS = 5_000;
const TRIES = 3;

/** Why clients cannot connect there, in words; undefined where one just did. */
export async function probe(target: Target, credentials: Credentials): Promise<string | undefined> {
  const token = tokenFor(credentials, 0);
  let why = '';
  for (let n = 0; n < TRIES; n++) {
    try {
      const listener = { heard: () => {}, lost: () => {} };
      const connection = await openConnection(
        target.url,
        OPEN_MS,
        listener,
        token === undefined ? {} : { token },
      );
      connection.close();
      return undefined;
    } catch (error) {
      why = reasonOf(error);
      // A node that says why will say it again.
      if (error instanceof NotOpened && error.error?.code === 'unauthorized') break;
    }
  }
  return why;
}

function reasonOf(error: unknown): string {
  const told = error instanceof NotOpened ? error.error : undefined;
  if (told?.code === 'unauthorized')
    return 'unauthorized: give a token by --token, --token-file or --jwt-secret-file';
  if (told !== undefined) return `${told.code}: ${told.message}`;
  return error instanceof Error ? error.message : String(error);
}
