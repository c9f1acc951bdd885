export * from './errors.ts';
export * from './events/index.ts';
export * from './identifiers.ts';
export * from './json.ts';
export * from './limits.ts';
export * from './peer.ts';
export * from './requests/index.ts';
export * from './room.ts';
