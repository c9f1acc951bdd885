import type { RoomId } from '../domain/room-id.ts';
import type { RoomRecord } from '../domain/room-record.ts';
import { Outbox, type Parcel } from './outbox.ts';
import { signedHeaders } from './signature.ts';
import { webhookEvents } from './webhook-events.ts';

export interface WebhookSettings {
  readonly url: string;
  /** That signs what is posted. */
  readonly key: Buffer;
}

export interface WebhooksOptions extends WebhookSettings {
  readonly onDone: (
    outcome: 'delivered' | 'failed' | 'dropped',
    parcel: Pick<Parcel, 'id' | 'room'>,
    problem?: string,
  ) => void;
  /** Set by tests that have less time. */
  readonly timing?: Partial<typeof TIMING>;
}

/** Tells a product's backend what happens in rooms: signed, retried, and bounded. */
export interface Webhooks {
  /** How many wait to be delivered. */
  readonly waiting: number;
  /** What this process appended to a room; `peersLeft` as in `webhookEvents`. */
  take(room: RoomId, record: RoomRecord, peersLeft: number | undefined): void;
  close(): Promise<void>;
}

const TIMING = {
  /** Five tries within about a minute. */
  retryAfterMs: [1_000, 5_000, 15_000, 40_000] as readonly number[],
  answerWithinMs: 5_000,
  /** What a node that ends still waits for. */
  closeWithinMs: 2_000,
};
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 32 * 1_048_576;
const AT_ONCE_MAX = 8;

export function openWebhooks({ url, key, onDone, timing }: WebhooksOptions): Webhooks {
  const { retryAfterMs, answerWithinMs, closeWithinMs } = { ...TIMING, ...timing };
  const ended = new AbortController();

  async function post({ id, body }: Parcel): Promise<string | undefined> {
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Fenghuo',
          ...signedHeaders(key, id, Date.now(), body),
        },
        body,
        // A signed body is for whom it was meant.
        redirect: 'manual',
        signal: AbortSignal.any([ended.signal, AbortSignal.timeout(answerWithinMs)]),
      });
      // Nothing of what it says is read, which could be without end, nor is its end waited for: no clock would bound that.
      answer.body?.cancel().catch(() => {});
      return answer.ok ? undefined : `status ${answer.status}`;
    } catch (error) {
      return problemOf(error as Error);
    }
  }

  const outbox = new Outbox({
    post,
    retryAfterMs,
    parcelsMax: WAITING_MAX,
    bytesMax: WAITING_BYTES_MAX,
    atOnceMax: AT_ONCE_MAX,
    onDone,
  });
  return {
    get waiting() {
      return outbox.size;
    },
    take(room, record, peersLeft) {
      for (const { id, type, epoch, seq, data } of webhookEvents(room, record, peersLeft)) {
        const at = new Date().toISOString();
        outbox.push({ id, room, epoch, seq, body: JSON.stringify({ type, room, epoch, seq, at, data }) });
      }
    },
    async close() {
      await outbox.close(closeWithinMs);
      ended.abort();
    },
  };
}

/** The cause without the address, which may hold a secret. */
function problemOf(error: Error): string {
  if (error.name === 'TimeoutError') return 'no answer in time';
  return (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name;
}
