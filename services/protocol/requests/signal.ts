import { z } from 'zod';
import { peerId, requestId } from '../identifiers.ts';
import {
  CANDIDATE_CHARS_MAX,
  DESCRIPTION_NUMBER_MAX,
  SDP_CHARS_MAX,
  SDP_MEDIA_SECTIONS_MAX,
  SDP_MID_CHARS_MAX,
  USERNAME_FRAGMENT_CHARS_MAX,
} from '../limits.ts';

const sdp = z
  .string()
  .min(1)
  .max(SDP_CHARS_MAX)
  .refine(
    (text) => (text.match(/^m=/gm)?.length ?? 0) <= SDP_MEDIA_SECTIONS_MAX,
    `must have at most ${SDP_MEDIA_SECTIONS_MAX} m-lines`,
  );

/** Some clients paste it into a description, with or without an end of its own. */
const oneLine = (charsMax: number) =>
  z
    .string()
    .max(charsMax)
    .regex(/^[^\r\n]*\r?\n?$/, 'must be one line');

/**
 * Says which answer belongs to which offer, where one is sent twice or taken back: an offer's is its author's to choose, and
 * its answer bears the same. A client that knows nothing of it sends none.
 */
const number = z.int().min(0).max(DESCRIPTION_NUMBER_MAX).optional();

/** RTCSessionDescriptionInit (W3C WebRTC, 4.6.2). A rollback carries no sdp; one that is sent is not passed on. */
export const description = z.discriminatedUnion('type', [
  z.object({ type: z.literal('offer'), sdp, number }),
  z.object({ type: z.literal('answer'), sdp, number }),
  z.object({ type: z.literal('pranswer'), sdp, number }),
  z.object({ type: z.literal('rollback') }),
]);
export type Description = z.infer<typeof description>;

/** RTCIceCandidateInit (W3C WebRTC, 4.8.1): its members may be null, as browsers send them. */
export const candidate = z.object({
  candidate: oneLine(CANDIDATE_CHARS_MAX),
  sdpMid: oneLine(SDP_MID_CHARS_MAX).nullish(),
  sdpMLineIndex: z.int().min(0).max(65_535).nullish(),
  usernameFragment: oneLine(USERNAME_FRAGMENT_CHARS_MAX).nullish(),
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
