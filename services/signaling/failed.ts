import type { OnMalformed } from './backplane/malformed.ts';
import type { OnFailed } from './backplane/tasks.ts';
import type { NodeParts } from './keeping.ts';

/** The one place where what a node does by itself ends if it throws: nobody else would hear of it. */
export function failedIn({ metrics, log }: Pick<NodeParts, 'metrics' | 'log'>): OnFailed {
  return (task, error) => {
    metrics.process.tasksFailed.inc({ task });
    log.error({ event: 'task_failed', task, err: error });
  };
}

/** There may be very many of them at once, so the metric counts them; what they say may be a secret. */
export function malformedIn({ metrics, log }: Pick<NodeParts, 'metrics' | 'log'>): OnMalformed {
  return (what) => {
    metrics.backplane.malformed.inc({ what });
    log.debug({ event: 'malformed_value', what });
  };
}
