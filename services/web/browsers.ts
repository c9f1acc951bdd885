/**
 * The oldest browsers that the pages and the SDK are for: at least two years back, and each that has the pages' menus
 * (popovers). The build lowers the language to them; `test/unit/web/browsers.test.ts` looks for what no build can lower.
 */
export const BROWSERS = ['chrome122', 'edge122', 'firefox125', 'safari17'];
