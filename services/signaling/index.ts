/** A node for those who run several in one process: `npm start -- --memory`, and tests. */
export { type AssembleOptions, startNode } from './assemble.ts';
export { type MemoryHub, memoryHub } from './backplane/memory/hub.ts';
export { type Config, ConfigError, parseConfig } from './config.ts';
export type { RunningNode } from './node.ts';
export { type Grant, mintToken } from './tokens/mint.ts';
