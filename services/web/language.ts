/** The languages that the pages speak; how each names itself. */
export const LANGUAGE_NAMES = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGE_NAMES;

/** The first language asked for that the pages speak. */
export function pickLanguage(asked: readonly (string | undefined)[]): Language {
  for (const tag of asked) {
    if (tag?.startsWith('zh')) return 'zh';
    if (tag?.startsWith('en')) return 'en';
  }
  return 'en';
}

/** What the `lang` attribute says. */
export function languageTag(language: Language): string {
  return language === 'zh' ? 'zh-Hans' : language;
}
