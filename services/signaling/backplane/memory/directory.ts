import { ok } from '../../domain/result.ts';
import { compareListed, type Directory } from '../directory.ts';
import type { SharedMemory } from './shared-memory.ts';

export function memoryDirectory(memory: SharedMemory): Directory {
  const { directory, rooms } = memory;
  return {
    async report(listed) {
      for (const { room, size } of listed)
        if (size > 0) directory.set(room, size);
        else directory.delete(room);
      return ok(undefined);
    },

    async list({ sort, after, limit }) {
      const all = [...directory].map(([room, size]) => ({ room, size }));
      const rest = after === undefined ? all : all.filter((each) => compareListed(sort, after, each) < 0);
      rest.sort((a, b) => compareListed(sort, a, b));
      return ok({ total: all.length, rooms: rest.slice(0, limit) });
    },

    async glance(ids) {
      return ok(
        ids.map((id) => {
          const state = rooms.get(id)?.state;
          if (state === undefined) return undefined;
          const peers = [...state.members.values()];
          const connected = peers.filter(({ peer }) => peer.connected).length;
          return { locked: state.locked, peersMax: state.peersMax, peers: peers.length, connected };
        }),
      );
    },
  };
}
