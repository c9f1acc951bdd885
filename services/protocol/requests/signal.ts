import { z } from 'zod';
import { peerId, requestId } from '../identifiers.ts';

const sdp = z.string().min(1);

/** RTCSessionDescriptionInit (W3C WebRTC, 4.6.2). A rollback carries no sdp; one that is sent is not passed on. */
export const description = z.discriminatedUnion('type', [
  z.object({ type: z.literal('offer'), sdp }),
  z.object({ type: z.literal('answer'), sdp }),
  z.object({ type: z.literal('pranswer'), sdp }),
  z.object({ type: z.literal('rollback') }),
]);
export type Description = z.infer<typeof description>;

/** RTCIceCandidateInit (W3C WebRTC, 4.8.1): its members may be null, as browsers send them. */
export const candidate = z.object({
  candidate: z.string(),
  sdpMid: z.string().nullish(),
  sdpMLineIndex: z.int().min(0).max(65_535).nullish(),
  usernameFragment: z.string().nullish(),
});
export type Candidate = z.infer<typeof candidate>;

/** A description or a candidate for one other peer; a null candidate ends a generation's candidates. */
export const signalRequest = z
  .object({
    id: requestId,
    to: peerId,
    description: description.optional(),
    candidate: candidate.nullable().optional(),
  })
  .refine(
    (request) => (request.description === undefined) !== (request.candidate === undefined),
    'must hold either a description or a candidate',
  );
export type SignalRequest = z.infer<typeof signalRequest>;

/** `held`: the peer is detached, and gets the signal when it resumes. */
export interface SignalReply {
  readonly seq: number;
  readonly delivery: 'sent' | 'held';
}
