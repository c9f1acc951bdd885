import type { Keys } from './keys.ts';

/**
 * The lives of the Redis under which this node knows the home to be sealed. A life is one replication id
 * (`INFO replication`): a restart and a failover begin another. On a Cluster each shard has its own.
 */
export class Lives {
  readonly #keys: Keys;
  readonly #isCluster: boolean;
  #sealed: string[] = [];
  #argument: string;

  constructor(keys: Keys, isCluster: boolean) {
    this.#keys = keys;
    this.#isCluster = isCluster;
    this.#argument = this.#format();
  }

  /** The first argument of each script of a room. */
  get argument(): string {
    return this.#argument;
  }

  /** The third key of each script of a room: on a Cluster it can only be one of the room's own. */
  markerKey(stateKey: string): string {
    return this.#isCluster ? stateKey : this.#keys.marker;
  }

  isSealed(life: string): boolean {
    return this.#sealed.includes(life);
  }

  /** The home is not known to be sealed any more: its marker is gone. */
  unseal(life: string): void {
    this.#sealed = this.#sealed.filter((each) => each !== life);
    this.#argument = this.#format();
  }

  seal(life: string): void {
    if (this.#sealed.includes(life)) return;
    this.#sealed = [...this.#sealed, life].slice(-LIVES_MAX);
    this.#argument = this.#format();
  }

  #format(): string {
    return `${this.#isCluster ? '-' : '+'}${this.#sealed.join(' ')}`;
  }
}

/** As many shards as a Cluster of ours may have. */
const LIVES_MAX = 64;
