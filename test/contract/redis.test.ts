import { inject } from 'vitest';
import { shareRedis } from '../support/redis-backplane.ts';
import { roomLogContract } from './room-log.contract.ts';

roomLogContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
