import { Gauge, type Registry } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;

export function buildMetrics(registry: Registry) {
  const info = new Gauge({
    name: 'signaling_build_info',
    help: 'Always 1; the labels say what is running.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  });
  info.set({ version: VERSION, node_version: process.version }, 1);
  return { info };
}
