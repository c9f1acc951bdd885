/** One line of a scrape. */
export interface Series {
  readonly name: string;
  /** As it stands between the braces. */
  readonly labels: string;
  readonly value: number;
}

/** The series of a scrape in Prometheus' text format, in its order. */
export function seriesIn(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return { name, labels, value: Number(value) };
    });
}
