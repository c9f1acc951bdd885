import type { OnMalformed } from '../malformed.ts';
import type { RunScript } from './commands.ts';
import type { Keys } from './keys.ts';

/** Takes each command that failed, with its keys. It drops keys of the home that have another type than ours. Never throws. */
export type Mend = (keys: readonly string[], error: Error) => void;

/** A room of which a key is spoilt is left alone: it costs that room. Keys of the home would cost all of them. */
export function mender(run: RunScript, keys: Keys, isCluster: boolean, onMalformed: OnMalformed): Mend {
  const mending = new Set<string>();

  async function mend(key: string, type: string): Promise<void> {
    mending.add(key);
    // A lease, or a room that somebody holds, must not be taken for one that was never there.
    const marks = key === keys.leases || keys.isHeld(key);
    // No script reaches two slots of a Cluster.
    const isApart = isCluster && keys.isHeld(key);
    const dropped = await run(
      'mend',
      [isApart ? key : keys.marker, key],
      marks && !isApart ? 'marks' : '',
      type,
    );
    if (dropped.ok && Number(dropped.value) > 0) {
      onMalformed('key');
      if (isApart) await run('mend', [keys.marker, keys.marker], 'marks', 'none');
    }
    mending.delete(key);
  }

  return (failed, error) => {
    if (!error.message.includes('WRONGTYPE')) return;
    for (const key of new Set(failed)) {
      const type = keys.typeOf(key);
      // `run` never rejects.
      if (type !== undefined && !mending.has(key)) void mend(key, type);
    }
  };
}
