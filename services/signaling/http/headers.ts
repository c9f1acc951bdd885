/**
 * Of every answer of both listeners. Nothing of a node belongs into another site's frame, where clicks are stolen that
 * open cameras or give orders; and no other site learns the address, which may hold a token.
 */
export const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** The policy of an answer that is no page; each page adds what it needs. */
export const NOTHING_ALLOWED =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Of what a browser may ask the person for; features that are not named keep their browser's default. */
export function permissions(allowed: readonly string[]): string {
  return FEATURES.map((name) => `${name}=(${allowed.includes(name) ? 'self' : ''})`).join(', ');
}

const FEATURES = ['camera', 'microphone', 'display-capture', 'geolocation', 'payment', 'usb'];
