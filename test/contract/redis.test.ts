import { inject } from 'vitest';
import { shareRedis } from '../support/redis-backplane.ts';
import { leasesContract } from './leases.contract.ts';
import { replicaContract } from './replica.contract.ts';
import { resumeContract } from './resume.contract.ts';
import { roomLogContract } from './room-log.contract.ts';

roomLogContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
leasesContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
resumeContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
replicaContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
