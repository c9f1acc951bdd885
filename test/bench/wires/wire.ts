/** How clients of a contestant speak. Made by hand, so that the generator takes little of the machine. */
export interface Wire {
  /** What is asked for in the WebSocket's handshake. */
  path(ticket: Ticket): string;
  /** What the client says at once; otherwise it waits for the server. */
  opening?(ticket: Ticket): string;
  /** What a frame means, and what to say to it. */
  read(frame: Buffer, ticket: Ticket): Heard;
  /** The frame that carries a signal. `number` counts a client's signals, from 0. */
  signal(to: string, kind: SignalKind, body: string, number: number): string;
  /** Keeps a connection alive that would otherwise be taken for dead. */
  readonly heartbeat?: string;
}

export type SignalKind = 'offer' | 'answer' | 'candidate';

export interface Ticket {
  readonly token: string;
  readonly room: string;
  /** Of this client alone in the whole run. */
  readonly name: string;
  /** The address of this machine from which it connects. */
  readonly from?: string | undefined;
}

export type Heard =
  | { readonly type: 'nothing' | 'signal' | 'accepted' }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'joined'; readonly id: string }
  /** `again`: come back after so many milliseconds. Without it, a request failed for good. */
  | { readonly type: 'refused'; readonly why: string; readonly again?: number | undefined };

export const NOTHING: Heard = { type: 'nothing' };
export const SIGNAL: Heard = { type: 'signal' };
export const ACCEPTED: Heard = { type: 'accepted' };
