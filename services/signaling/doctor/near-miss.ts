/** Names this short are close to many others. */
const SPELLED_FROM = 5;
/** Some people put the product's name before a setting. */
const OWN_PREFIX = /^(FENGHUO|SIGNALING)_/;

/** The setting that somebody meant who wrote `name`; undefined: it is far from all of them. */
export function settingMeantBy(name: string, settings: readonly string[]): string | undefined {
  if (name.length < SPELLED_FROM) return undefined;
  const written = name.toUpperCase().replace(OWN_PREFIX, '');
  return settings.find(
    (known) => known.length >= SPELLED_FROM && (words(written) === words(known) || isOneSlip(written, known)),
  );
}

/** The same words in another order are the same. */
function words(name: string): string {
  return name.split(/[_-]/).toSorted().join('_');
}

/** Whether one slip makes the difference: a letter too many, missing or another one, or two that changed places. */
function isOneSlip(name: string, known: string): boolean {
  const [short, long] = name.length < known.length ? [name, known] : [known, name];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  const rest = long.slice(at + 1);
  if (long.length > short.length) return short.slice(at) === rest;
  const isSwapped = short[at] === long[at + 1] && short[at + 1] === long[at];
  return short.slice(at + 1) === rest || (isSwapped && short.slice(at + 2) === long.slice(at + 2));
}
