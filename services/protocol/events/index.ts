import type { z } from 'zod';
import { nodeEvents } from './node.ts';
import { relayEvents } from './relay.ts';
import { rosterEvents } from './roster.ts';

export { ANNOUNCEMENT_LEVELS, REMOVED_REASONS, type RemovedReason } from './node.ts';
export { LEFT_REASONS, type LeftReason } from './roster.ts';

/** Every event a node sends, with the schema of its one argument. */
export const EVENTS = { ...nodeEvents, ...rosterEvents, ...relayEvents } as const;

export type EventName = keyof typeof EVENTS;
export type Events = { [Name in EventName]: z.infer<(typeof EVENTS)[Name]> };
