import type { Kind } from '@fenghuo/protocol';

const MEDIA = ['audio', 'video'] as const satisfies readonly Kind[];

/**
 * The kinds of media that a description would have its author send: those of m-lines that are neither rejected nor
 * recvonly or inactive. Data channels are free. The direction of the session does not count (RFC 8866, 6.7, has it;
 * browsers do not). A text that two programs could read in two ways counts as sending, and the text is judged as it is relayed.
 */
export function kindsSent(sdp: string): Kind[] {
  const [session = [], ...sections] = sectionsOf(linesOf(sdp));
  const isPlain =
    !HIDDEN_END.test(sdp) && session.every(isPlainLine) && sections.flat().every(isPlainMediaLine);
  if (!isPlain) return [...MEDIA];
  const sending = sections.filter((section) => !isRejected(section) && isSending(section)).map(kindOf);
  return MEDIA.filter((kind) => sending.some((each) => each === kind || !isKnown(each)));
}

/** Lines with their ends, without the empty ones after the last. A browser ends a line with CR LF or LF alone. */
function linesOf(sdp: string): string[] {
  const lines: string[] = [];
  for (let from = 0, to = 0; from < sdp.length; from = to) {
    to = sdp.indexOf('\n', from) + 1 || sdp.length;
    lines.push(sdp.slice(from, to));
  }
  const last = lines.findLastIndex((line) => line !== '\n' && line !== '\r\n');
  return lines.slice(0, last + 1);
}

/** The lines of the session, then those of each m-line. */
function sectionsOf(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  return sections;
}

/**
 * What some program takes for the end of a line or of the text, and a browser does not: Firefox stops at a NUL, Python's
 * `splitlines` at most of them. So all control characters but TAB, and CR LF as a pair.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
const HIDDEN_END = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]|\r(?!\n)/;

/** A line begins by the grammar of RFC 8866, 9. Firefox stops reading at one that does not. */
const PLAIN_BEGINNING = /^(?:a=[\w!#$%&'*+.^`{|}~-]+(?::|\r?\n?$)|[b-z]=)/;

function isPlainLine(line: string): boolean {
  return PLAIN_BEGINNING.test(line);
}

/** RFC 8866, 9: the others belong to the session. Firefox stops reading at a second `v=`. */
function isPlainMediaLine(line: string): boolean {
  return /^[mickab]/.test(line) && isPlainLine(line);
}

/** The first word of the m-line. */
function kindOf([mLine = '']: readonly string[]): string {
  return mLine.slice('m='.length).split(' ', 1)[0] ?? '';
}

/** Whether browsers agree on what an m-line of this kind carries. */
function isKnown(kind: string): boolean {
  return kind === 'application' || MEDIA.some((each) => each === kind);
}

/** An m-line of port 0 that is bundle-only is not rejected (RFC 8843, 6). */
function isRejected(section: readonly string[]): boolean {
  return section[0]?.split(' ', 2)[1] === '0' && !section.some((line) => /^a=bundle-only/i.test(line));
}

/**
 * Browsers take the last direction of several, Firefox in any case. Only an exact line says that nothing is sent, and
 * only with its end: Firefox drops a last line that has none.
 */
function isSending(section: readonly string[]): boolean {
  if (section.some((line) => /^a=send(?:recv|only)/i.test(line))) return true;
  return !section.some((line) => /^a=(?:recvonly|inactive)\r?\n$/.test(line));
}
