import type { IceUrl } from '../../domain/ice-url.ts';
import {
  ATTRIBUTES,
  addressOf,
  errorOf,
  formatPeer,
  type Login,
  lifetime,
  requestedUdp,
  type StunMessage,
} from './message.ts';
import { openTransport, type StunTransport } from './transport.ts';

export interface Credentials {
  readonly username: string;
  readonly credential: string;
}

/** What became of asking a TURN server for a relay address. */
export type Allocation =
  | {
      readonly kind: 'allocated';
      /** Where others would send to. */
      readonly relay: string;
      /** Whether it asked who we are. */
      readonly isGuarded: boolean;
      /** Of the peers that were asked for, those it would relay to. */
      readonly reaches: readonly string[];
    }
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string };

/** Our own address as a STUN server sees it. Rejects where it does not answer as one. */
export async function askBinding(server: IceUrl): Promise<string> {
  return use(server, async (transport) => {
    const reply = await transport.request('binding', []);
    const seen = addressOf(reply, ATTRIBUTES.xorMappedAddress);
    if (reply.kind !== 'success' || seen === undefined) throw new Error('its answer names no address');
    return seen;
  });
}

/**
 * Asks for a relay address and gives it back (RFC 8656, 7 to 9). `peers`: whom it is asked for permission to reach;
 * nothing is sent to them.
 */
export async function askAllocation(
  server: IceUrl,
  { username, credential }: Credentials,
  peers: readonly string[] = [],
): Promise<Allocation> {
  return use(server, async (transport) => {
    const wanted = [[ATTRIBUTES.requestedTransport, requestedUdp()]] as const;
    let reply = await transport.request('allocate', wanted);
    let login: Login | undefined;
    // 401 asks for credentials, 438 for a fresh nonce.
    for (let asked = 0; asked < 2 && ASKS_AGAIN.has(codeOf(reply)); asked += 1) {
      const former = login;
      login = loginFor(reply, username, credential);
      if (former !== undefined && codeOf(reply) === UNAUTHORIZED) break;
      reply = await transport.request('allocate', wanted, login);
    }
    if (reply.kind !== 'success') return { kind: 'refused', ...errorOf(reply) };
    const relay = addressOf(reply, ATTRIBUTES.xorRelayedAddress) ?? 'unknown';
    const reaches = await reachable(transport, peers, login);
    await transport.request('refresh', [[ATTRIBUTES.lifetime, lifetime(0)]], login);
    return { kind: 'allocated', relay, isGuarded: login !== undefined, reaches };
  });
}

const UNAUTHORIZED = 401;
const ASKS_AGAIN: ReadonlySet<number> = new Set([UNAUTHORIZED, 438]);

async function reachable(
  transport: StunTransport,
  peers: readonly string[],
  login: Login | undefined,
): Promise<string[]> {
  const allowed: string[] = [];
  for (const peer of peers) {
    const permission = [[ATTRIBUTES.xorPeerAddress, formatPeer(peer)]] as const;
    const reply = await transport.request('createPermission', permission, login);
    if (reply.kind === 'success') allowed.push(peer);
  }
  return allowed;
}

function codeOf(reply: StunMessage): number {
  return reply.kind === 'error' ? errorOf(reply).code : 0;
}

function loginFor({ attributes }: StunMessage, username: string, password: string): Login {
  const none = Buffer.alloc(0);
  const realm = attributes.get(ATTRIBUTES.realm) ?? none;
  return { username, password, realm, nonce: attributes.get(ATTRIBUTES.nonce) ?? none };
}

async function use<Value>(server: IceUrl, ask: (transport: StunTransport) => Promise<Value>): Promise<Value> {
  const transport = await openTransport(server);
  try {
    return await ask(transport);
  } finally {
    transport.close();
  }
}
