import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

export const PATH = '/socket.io/';
/** Those that ws speaks. */
const WEB_SOCKET_VERSIONS = ['13', '8'];

/**
 * Whether a request is for a WebSocket of socket.io. Any other offer to upgrade is ignored, as RFC 9110, 7.8 allows:
 * HTTP/1.1 answers what the request asks for. For Node's `shouldUpgradeCallback`.
 */
export function asksForWebSocket({ method, url = '', httpVersion, headers }: IncomingMessage): boolean {
  const offers = headers.upgrade?.toLowerCase().split(/[\s,]+/) ?? [];
  // An offer in HTTP/1.0 must be ignored (RFC 9110, 7.8).
  return (
    method === 'GET' && httpVersion === '1.1' && offers.includes('websocket') && url.split('?')[0] === PATH
  );
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

const TRANSPORT_UNKNOWN = engineRefusal(0, 'Transport unknown');

/** An answer in HTTP to a request to upgrade. */
export interface UpgradeRefusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * The engine's refusals, made here. The engine refuses an old protocol only in the WebSocket, and it destroys a socket
 * while its answer still waits to be written.
 */
export function faultOf({ url = '', headers }: IncomingMessage): UpgradeRefusal | undefined {
  const version = String(headers['sec-websocket-version']);
  // RFC 6455, 4.2.2.
  if (!WEB_SOCKET_VERSIONS.includes(version))
    return {
      ...badRequest('Missing or invalid Sec-WebSocket-Version header'),
      status: 426,
      headers: { ...JSON_HEADERS, 'sec-websocket-version': WEB_SOCKET_VERSIONS.join(', ') },
    };
  const { transport, sid, EIO } = Object.fromEntries(new URLSearchParams(url.slice(PATH.length)));
  if (transport !== 'websocket') return TRANSPORT_UNKNOWN;
  // No session goes over to another connection: resume is a request of ours.
  if (sid) return engineRefusal(1, 'Session ID unknown');
  return EIO === '4' ? undefined : engineRefusal(5, 'Unsupported protocol version');
}

export function badRequest(message: string) {
  return engineRefusal(3, message);
}

function engineRefusal(code: number, message: string) {
  return { status: 400, headers: JSON_HEADERS, body: JSON.stringify({ code, message }) };
}

/** The engine's answer to a request at its path that asks for no WebSocket. */
export function plainRefusal(transport: unknown) {
  return transport === 'websocket' ? badRequest('Bad request') : TRANSPORT_UNKNOWN;
}

/** Answers, and closes the connection once the answer is written. */
export function refuseUpgrade(socket: Duplex, { status, headers = {}, body = '' }: UpgradeRefusal): void {
  const fields = { ...headers, connection: 'close', 'content-length': Buffer.byteLength(body) };
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.on('error', () => {});
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
