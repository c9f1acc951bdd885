export { afterOurDeath } from './death-guard.ts';
export { DIRECTIONS, type Direction, type Link, type LinkTiming, startLink } from './link.ts';
export { type NodePlan, nodeEnvironment, operatorsUrl, pageUrl, type RedisSettings } from './node-plan.ts';
export { type NodeProcess, startNodeProcess } from './node-process.ts';
export { freePort } from './ports.ts';
export { answersPing, findRedisServer, type RedisServer, startRedisServer } from './redis-server.ts';
export { StartFailure } from './start-failure.ts';
