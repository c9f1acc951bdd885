/** The home that is a region's own: the one of its name, or the first where none bears it. */
export function localHome(region: string, homes: readonly string[]): string {
  return homes.includes(region) ? region : (homes[0] ?? region);
}

/**
 * The home that registers a name without a suffix (rule H1), the same for every node. It hangs on the homes' names alone,
 * not on their order; another set of homes registers names anew.
 */
export function registrarOf(name: string, homes: readonly string[]): string {
  const sorted = homes.toSorted();
  return sorted[hashOf(name) % sorted.length] ?? '';
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
