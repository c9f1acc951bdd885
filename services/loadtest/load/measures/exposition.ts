/** Reads Prometheus' text format: the sum of a metric's series, by its name. Histograms only as `_sum` and `_count`. */
export function readExposition(text: string, names: ReadonlySet<string>): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, name = '', value] of text.matchAll(/^([a-z_][\w:]*)(?:\{[^}]*\})? (\S+)/gim)) {
    if (names.has(name)) values.set(name, (values.get(name) ?? 0) + Number(value));
  }
  return values;
}
