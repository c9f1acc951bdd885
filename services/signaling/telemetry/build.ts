import packageJson from '../package.json' with { type: 'json' };
import type { Family } from './catalogue.ts';

export const VERSION: string = packageJson.version;

export function buildMetrics(family: Family) {
  const info = family.gauge('signaling_build_info', 'Always 1; the labels say what is running.', {
    version: 'of Fenghuo',
    node_version: 'of Node.js',
  });
  info.set({ version: VERSION, node_version: process.version }, 1);
  return { info };
}
