import { defineConfig } from 'vite';

const page = (name: string) => new URL(`./${name}.html`, import.meta.url).pathname;

/** One entry a page: another page is another .html file here. Paths stay relative, so any node may serve them. */
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    rolldownOptions: {
      input: { call: page('index'), console: page('console') },
      // The contract's schemas are for nodes; a page takes only codes and limits from it.
      treeshake: { moduleSideEffects: (id) => !/\/(services\/protocol|node_modules\/zod)\//.test(id) },
    },
  },
});
