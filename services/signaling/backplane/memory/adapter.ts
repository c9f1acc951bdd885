import { ClusterAdapter, type ClusterMessage, type ClusterResponse } from 'socket.io-adapter';
import type { SocketAdapter } from '../backplane.ts';
import type { MemoryHub } from './hub.ts';

/** The socket.io adapter of nodes that share a process. Messages arrive in a later turn, as from a network. */
export function memoryAdapter(hub: MemoryHub): SocketAdapter {
  return class MemoryAdapter extends ClusterAdapter {
    readonly #receive = (message: ClusterMessage) => this.onMessage(message);
    readonly #respond = (to: string, response: ClusterResponse) => {
      if (to === this.uid) this.onResponse(response);
    };

    override init(): void {
      hub.bus.on('message', this.#receive);
      hub.bus.on('response', this.#respond);
    }

    override close(): void {
      hub.bus.off('message', this.#receive);
      hub.bus.off('response', this.#respond);
    }

    override async serverCount(): Promise<number> {
      return hub.nodes;
    }

    protected override async doPublish(message: ClusterMessage): Promise<string> {
      setImmediate(() => hub.bus.emit('message', message));
      return '';
    }

    protected override async doPublishResponse(to: string, response: ClusterResponse): Promise<void> {
      setImmediate(() => hub.bus.emit('response', to, response));
    }
  };
}
