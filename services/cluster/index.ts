export { afterOurDeath } from './death-guard.ts';
export { freePort } from './ports.ts';
export { answersPing, findRedisServer, type RedisServer, startRedisServer } from './redis-server.ts';
