import { z } from 'zod';
import { peerId, requestId, topic } from '../identifiers.ts';
import { json } from '../json.ts';

/** Arrives: goes through the room's log, in order, once. */
const durableMessage = z.object({
  id: requestId,
  to: peerId.optional(),
  topic,
  data: json,
  echo: z.boolean().default(false),
  ephemeral: z.literal(false).optional(),
});

/** May be lost: typing, cursors, speaking indicators. Has no id, no seq and no repeat. */
const ephemeralMessage = z.object({
  id: z.undefined('an ephemeral message has no id').optional(),
  to: peerId.optional(),
  topic,
  data: json,
  ephemeral: z.literal(true),
});

/** A product's own words, for everyone else in the room or for one peer. */
export const messageRequest = z.union([durableMessage, ephemeralMessage]);
export type MessageRequest = z.infer<typeof messageRequest>;
export type DurableMessage = z.infer<typeof durableMessage>;
export type EphemeralMessage = z.infer<typeof ephemeralMessage>;

/** `seq` for a durable message alone. */
export interface MessageReply {
  readonly seq?: number;
}
