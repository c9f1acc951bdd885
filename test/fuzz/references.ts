/**
 * References stand for values that are known only when a text is sent. So the decisions of a seed do not depend on the
 * nodes' answers.
 *   «self» «peer:3» «resume:own» «resume:3» «jwt:good:3» «incarnation:1» «host»
 *   "«#id»" "«#seq»" "«#epoch»": numbers, so their quotes go, too
 *   «long:1000» "«deep:1000»": many characters, and lists within lists, written short
 */
export interface Known {
  /** The next id of the session. */
  nextId(): number;
  readonly seq: number;
  readonly epoch: number;
  text(name: string, argument: string): string | undefined;
}

const NUMBER = /"«#(id|seq|epoch)»"/g;
const DEEP = /"«deep:(\d+)»"/g;
const TEXT = /«(\w+)(?::([^»]*))?»/g;
const NOTHING = 'none';

export function resolve(text: string, known: Known): string {
  if (!text.includes('«')) return text;
  return text
    .replace(NUMBER, (_, name: 'id' | 'seq' | 'epoch') =>
      String(name === 'id' ? known.nextId() : known[name]),
    )
    .replace(DEEP, (_, levels: string) => '['.repeat(lengthOf(levels)) + ']'.repeat(lengthOf(levels)))
    .replace(TEXT, (_, name: string, argument = '') =>
      name === 'long' ? 'a'.repeat(lengthOf(argument)) : (known.text(name, argument) ?? NOTHING),
    );
}

const LENGTH_MAX = 1_000_000;

/** A mutated reference may ask for any number, or for none. */
function lengthOf(text: string): number {
  return Math.min(Math.max(Number(text) || 0, 0), LENGTH_MAX);
}
