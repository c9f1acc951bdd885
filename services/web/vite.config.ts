import { type BuildEnvironment, defineConfig } from 'vite';

import { BROWSERS } from './browsers.ts';
import { selfContained } from './vite-self-contained.ts';

const page = (name: string) => new URL(`./${name}.html`, import.meta.url).pathname;

/** One entry a page: another page is another .html file here. Paths stay relative, so any node may serve them. */
export default defineConfig({
  base: './',
  build: {
    emptyOutDir: true,
    target: BROWSERS,
    rolldownOptions: {
      // The contract's schemas are for nodes; a page takes only codes and limits from it.
      treeshake: { moduleSideEffects: (id) => !/\/(services\/protocol|node_modules\/zod)\//.test(id) },
    },
  },
  environments: {
    client: {
      build: {
        outDir: 'dist',
        rolldownOptions: { input: { call: page('index'), console: page('console') } },
      },
    },
    // The load tester's report goes from hand to hand as one file, and no node serves it: it shares nothing with the others.
    report: {
      consumer: 'client',
      build: {
        outDir: 'report/dist',
        copyPublicDir: false,
        modulePreload: false,
        rolldownOptions: { input: page('report'), output: { codeSplitting: false } },
      },
    },
  },
  builder: {
    async buildApp({ build, environments }) {
      for (const name of ['client', 'report']) await build(environments[name] as BuildEnvironment);
    },
  },
  plugins: [{ ...selfContained(), applyToEnvironment: ({ name }) => name === 'report' }],
});
