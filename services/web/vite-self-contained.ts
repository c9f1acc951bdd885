import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** The output as far as it matters here; vite hands on rolldown's own types. */
interface Chunk {
  readonly code: string;
}
interface Asset {
  readonly source: string | Uint8Array;
}

/**
 * Puts scripts and styles into the page itself, which then works from a file, with no server and no request. Its policy
 * allows exactly what was put in, so that nothing in the data it is given can run or call anywhere.
 */
export function selfContained(): Plugin {
  return {
    name: 'self-contained',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const [name, page] of Object.entries(bundle)) {
        if (!name.endsWith('.html') || page.type !== 'asset') continue;
        const [html, hashes] = inlined(String(page.source), bundle as unknown as Bundle);
        page.source = html.replace('<head>', `<head>\n    ${policy(hashes)}`);
      }
      for (const [name, { type }] of Object.entries(bundle)) {
        if (type === 'chunk' || name.endsWith('.css')) delete bundle[name];
      }
    },
  };
}

type Bundle = Readonly<Record<string, Chunk | Asset>>;

interface Hashes {
  readonly scripts: string[];
  readonly styles: string[];
}

function inlined(html: string, bundle: Bundle): [html: string, hashes: Hashes] {
  const hashes: Hashes = { scripts: [], styles: [] };
  const contentOf = (path: string): string => {
    const file = bundle[path.replace(/^\.\//, '')];
    if (file === undefined) throw new Error(`The page asks for ${path}, which is not built.`);
    return 'code' in file ? file.code : String(file.source);
  };
  const withScripts = html.replace(/<script type="module"[^>]* src="([^"]+)"><\/script>/g, (_, path) => {
    const code = contentOf(path).replaceAll('</script', '<\\/script');
    hashes.scripts.push(hashOf(code));
    return `<script type="module">${code}</script>`;
  });
  const whole = withScripts.replace(/<link rel="stylesheet"[^>]* href="([^"]+)">/g, (_, path) => {
    const css = contentOf(path);
    hashes.styles.push(hashOf(css));
    return `<style>${css}</style>`;
  });
  return [whole, hashes];
}

function policy({ scripts, styles }: Hashes): string {
  const allowed = `default-src 'none'; img-src data:; script-src ${scripts.join(' ')}; style-src ${styles.join(' ')}; base-uri 'none'; form-action 'none'`;
  return `<meta http-equiv="Content-Security-Policy" content="${allowed}" />`;
}

function hashOf(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
