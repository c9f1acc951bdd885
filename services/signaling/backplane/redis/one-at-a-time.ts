/**
 * Looks one after the other, however many ask. Who asks while one is under way shares the next: what that one sees is not
 * older than the question. `look` never rejects.
 */
export function oneAtATime<Seen>(look: () => Promise<Seen>): () => Promise<Seen> {
  let underWay: Promise<Seen> | undefined;
  let next: Promise<Seen> | undefined;
  const start = () => {
    underWay = look().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  return () => {
    if (underWay === undefined) return start();
    next ??= underWay.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}
