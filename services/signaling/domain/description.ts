import type { Kind } from '@fenghuo/protocol';
import sdpUtils from 'sdp';

const MEDIA = ['audio', 'video'] as const satisfies readonly Kind[];

/**
 * The kinds of media that a description would have its author send: those of m-lines that are neither rejected nor
 * recvonly or inactive. Data channels are free. The direction of the session is not looked at (RFC 8866, 6.7, has it;
 * Chromium does not). Where browsers could read a text in another way than this does, the kind counts as sent.
 */
export function kindsSent(sdp: string): Kind[] {
  const sent = new Set<Kind>();
  for (const section of sdpUtils.getMediaSections(sdp)) {
    const kind = sdpUtils.getKind(section);
    if (kind === 'application' || isRejected(section) || !isSending(section)) continue;
    for (const each of MEDIA) if (each === kind || !MEDIA.includes(kind as 'audio')) sent.add(each);
  }
  return MEDIA.filter((kind) => sent.has(kind));
}

/** An m-line of port 0 that is bundle-only is not rejected (RFC 8843, 6). */
function isRejected(section: string): boolean {
  return sdpUtils.isRejected(section) && !section.toLowerCase().includes('bundle-only');
}

/**
 * Only an exact line says that nothing is sent, and nothing in the section may say otherwise: browsers take the last
 * direction of several, with what follows it after a blank or colon, and some take it in any case.
 */
function isSending(section: string): boolean {
  const words = section.toLowerCase();
  if (words.includes('sendrecv') || words.includes('sendonly')) return true;
  return !section.split(/\r?\n/).some((line) => line === 'a=recvonly' || line === 'a=inactive');
}
