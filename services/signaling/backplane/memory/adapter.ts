import { ClusterAdapter, type ClusterMessage, type ClusterResponse } from 'socket.io-adapter';
import type { SocketAdapter } from '../backplane.ts';
import type { SharedMemory } from './shared-memory.ts';

/** The socket.io adapter of nodes that share a process. Messages arrive in a later turn, as from a network. */
export function memoryAdapter(memory: SharedMemory): SocketAdapter {
  return class MemoryAdapter extends ClusterAdapter {
    readonly #receive = (message: ClusterMessage) => this.onMessage(message);
    readonly #respond = (to: string, response: ClusterResponse) => {
      if (to === this.uid) this.onResponse(response);
    };

    override init(): void {
      memory.bus.on('message', this.#receive);
      memory.bus.on('response', this.#respond);
    }

    override close(): void {
      memory.bus.off('message', this.#receive);
      memory.bus.off('response', this.#respond);
    }

    override async serverCount(): Promise<number> {
      return memory.nodes;
    }

    protected override async doPublish(message: ClusterMessage): Promise<string> {
      setImmediate(() => memory.bus.emit('message', message));
      return '';
    }

    protected override async doPublishResponse(to: string, response: ClusterResponse): Promise<void> {
      setImmediate(() => memory.bus.emit('response', to, response));
    }
  };
}
