import { randomBytes } from 'node:crypto';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import { redisBackplane } from '../../services/signaling/backplane/redis/index.ts';
import { defaultLogBounds, type LogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { eventually } from './eventually.ts';
import { keepSealed } from './seal.ts';

/** Several nodes' views of one Redis, under a key prefix of their own. */
export async function shareRedis(url: string, keyPrefix = `test-${randomBytes(6).toString('hex')}`) {
  return {
    keyPrefix,
    async open(bounds: LogBounds = defaultLogBounds(30_000)): Promise<Backplane> {
      const incarnation = randomBytes(9).toString('base64url');
      const backplane = redisBackplane({
        url,
        home: 'main',
        keyPrefix,
        incarnation,
        bounds,
        observer: {
          connectionFailed: (name, error) => console.error('connection', name, error.message),
          reconnected: (name) => console.error('reconnected', name),
          commandSent: () => {},
          commandAnswered: () => {},
          commandFailed: (script, error) => console.error('command', script, error.message),
          looped: () => {},
          subscriptionFailed: (error) => console.error('subscription', error.message),
          malformed: (what) => console.error('malformed', what),
          failed: (task, error) => console.error('failed', task, error),
          adapterFailed: (error) => console.error('adapter', error.message),
        },
      });
      await eventually(
        () => {
          const health = backplane.health();
          if (!health.answers || !health.rings) throw new Error(health.problem);
        },
        { timeoutMs: 10_000, what: 'a Redis that answers' },
      );
      await keepSealed(backplane, incarnation);
      return backplane;
    },
    close: async () => {},
  };
}
