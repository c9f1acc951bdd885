import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';

import type { CallBrowser } from './browser.ts';

/** What a page has as `window.sdk`. */
export type Sdk = typeof import('../../services/client/index.ts');

/** A page with the SDK, as it is now, under `window.sdk`; of a node's origin where it is to talk to that node. */
export async function openSdkPage(browser: CallBrowser, url = 'about:blank'): Promise<Page> {
  const { page } = await browser.open(url, { context: { bypassCSP: true } });
  await page.addScriptTag({ content: await bundle() });
  return page;
}

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('../../services/client/index.ts', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'sdk' } },
  });
  const [{ output }] = [built].flat() as [Rolldown.RolldownOutput];
  // A variable of a script would be none of the window's where it is a constant.
  return `${output[0].code}\nwindow.sdk = sdk;`;
}
