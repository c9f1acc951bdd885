import { Adapter, type BroadcastOptions } from 'socket.io-adapter';
import type { SocketAdapter } from '../backplane/backplane.ts';
import { homeOfName } from './socket-connection.ts';

type Namespace = ConstructorParameters<typeof Adapter>[0];
type Packet = Parameters<Adapter['broadcast']>[0];

/**
 * One socket.io adapter over those of several homes: what is for a room goes through its home, and what is for nodes
 * through all of them, so that a cut link keeps it from nobody whom another one reaches. The nodes know copies by their
 * ids (`announcements.ts`).
 */
export function homesAdapter(homes: ReadonlyMap<string, SocketAdapter>): SocketAdapter {
  return class HomesAdapter extends Adapter {
    readonly #homes: ReadonlyMap<string, Adapter>;

    constructor(namespace: Namespace) {
      super(namespace);
      this.#homes = new Map([...homes].map(([home, HomeAdapter]) => [home, new HomeAdapter(namespace)]));
    }

    override async init(): Promise<void> {
      await Promise.all([...this.#homes.values()].map((each) => each.init()));
    }

    override async close(): Promise<void> {
      await Promise.all([...this.#homes.values()].map((each) => each.close()));
    }

    override addAll(id: string, rooms: Set<string>): void {
      super.addAll(id, rooms);
      for (const [home, adapter] of this.#homes) {
        const own = [...rooms].filter((room) => (homeOfName(room) ?? home) === home);
        if (own.length > 0) adapter.addAll(id, new Set(own));
      }
    }

    override del(id: string, room: string): void {
      super.del(id, room);
      for (const adapter of this.#homes.values()) adapter.del(id, room);
    }

    override delAll(id: string): void {
      super.delAll(id);
      for (const adapter of this.#homes.values()) adapter.delAll(id);
    }

    override broadcast(packet: Packet, options: BroadcastOptions): void {
      const [room] = options.rooms;
      const home = room === undefined ? undefined : this.#homes.get(homeOfName(room) ?? '');
      if (home === undefined || options.flags?.local) super.broadcast(packet, options);
      else home.broadcast(packet, options);
    }

    override serverSideEmit(packet: unknown[]): void {
      for (const adapter of this.#homes.values()) adapter.serverSideEmit(packet);
    }
  };
}
