import type { Candidate } from '@fenghuo/protocol';

/** What is read in a session description (RFC 8866), and how candidates travel. */

/** Its `ice-ufrag`s, each of which names one set of candidates: RFC 8839, 5.4. */
export function fragmentsOf(sdp: string | undefined): readonly string[] {
  return valuesOf(sdp, /^a=ice-ufrag:(.*)$/gm);
}

/**
 * Whether the two are of different connections: each has a certificate of its own, whose fingerprint the description names
 * (RFC 8122, 5). False where one names none.
 */
export function areOfDifferentConnections(sdp: string | undefined, other: string | undefined): boolean {
  const fingerprints = valuesOf(sdp, FINGERPRINT);
  const others = valuesOf(other, FINGERPRINT);
  return fingerprints.length > 0 && others.length > 0 && !fingerprints.some((each) => others.includes(each));
}

const FINGERPRINT = /^a=fingerprint:(.*)$/gm;

function valuesOf(sdp: string | undefined, line: RegExp): readonly string[] {
  return [...(sdp ?? '').matchAll(line)].map(([, value = '']) => value.trim());
}

export function toWire({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): Candidate {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}

export function toDictionary(candidate: Candidate): RTCIceCandidateInit {
  return {
    candidate: candidate.candidate,
    sdpMid: candidate.sdpMid ?? null,
    sdpMLineIndex: candidate.sdpMLineIndex ?? null,
    usernameFragment: candidate.usernameFragment ?? null,
  };
}
