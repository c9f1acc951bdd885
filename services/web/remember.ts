/** Keeps a choice for the next visit, where the browser lets it. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`fenghuo.${name}`, value);
  } catch {
    // Storage is off: nothing is kept.
  }
}

export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(`fenghuo.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}
