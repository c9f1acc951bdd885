import { randomBytes } from 'node:crypto';
import type { Settings } from '../config.ts';
import { type IceUrl, parseIceUrl } from '../domain/ice-url.ts';
import { iceServersFor } from '../ice-servers.ts';
import { isHere, isPublic } from './exposure.ts';
import { type Finding, fault, ok, reasonOf, warning } from './finding.ts';
import { type Allocation, askAllocation, askBinding, type Credentials } from './stun/turn-client.ts';

/** Shows in the TURN server's log. */
const USER = 'doctor';
/** No server that people reach from outside may relay to itself, or to where clouds keep their secrets. */
const FORBIDDEN_PEERS = ['127.0.0.1', '169.254.169.254'];
/** What coturn says when it serves as many as it may. */
const FULL_CODES: ReadonlySet<number> = new Set([486, 508]);

/** Whether the STUN and TURN servers that clients are given do for them what they are there for. */
export async function checkIce(settings: Partial<Settings>): Promise<Finding[]> {
  const { STUN_URLS = [], TURN_URLS = [], TURN_SECRET = [], TURN_TTL_S = 60 } = settings;
  const signedWith = (turnSecret: string | undefined) => {
    const all = iceServersFor(
      { stunUrls: [], turnUrls: TURN_URLS, turnSecret, turnTtlS: TURN_TTL_S },
      USER,
      Date.now(),
    );
    return all[0] as Credentials | undefined;
  };
  const ours = signedWith(TURN_SECRET[0]);
  const wrong = signedWith(randomBytes(24).toString('hex'));
  const findings = await Promise.all([
    ...STUN_URLS.map(checkStun),
    ...TURN_URLS.map((url) => (ours && wrong ? checkTurn(url, ours, wrong) : [])),
  ]);
  return findings.flat();
}

async function checkStun(url: string): Promise<Finding[]> {
  const server = parseIceUrl(url);
  if (server === undefined) return [];
  if (server.transport === 'dtls') return [untried('stun', url)];
  try {
    return [ok('stun', `${url} answers; it sees this host as ${await askBinding(server)}`)];
  } catch (error) {
    return [unreachable('stun', url, server, error)];
  }
}

async function checkTurn(url: string, ours: Credentials, wrong: Credentials): Promise<Finding[]> {
  const server = parseIceUrl(url);
  if (server === undefined) return [];
  if (server.transport === 'dtls') return [untried('turn', url)];
  try {
    const allocation = await askAllocation(server, ours, FORBIDDEN_PEERS);
    if (allocation.kind === 'refused') return [refused(url, allocation)];
    const forged = allocation.isGuarded ? await askAllocation(server, wrong) : allocation;
    if (forged.kind === 'allocated') return [open(url)];
    const concerns = [...relayAddress(url, server, allocation.relay), ...reach(url, allocation.reaches)];
    if (concerns.length > 0) return concerns;
    return [ok('turn', `${url} relays with our credentials, and refuses a wrong secret`)];
  } catch (error) {
    return [unreachable('turn', url, server, error)];
  }
}

function untried(check: string, url: string): Finding {
  const text = `${url} is DTLS, which browsers do not use, and was not tried`;
  return warning(check, text, `turns:…?transport=tcp`);
}

function unreachable(check: string, url: string, server: IceUrl, error: unknown): Finding {
  const { host, port, transport } = server;
  const why = reasonOf(error);
  if (transport === 'tls' && /certificate|altnames|self.signed|expired/i.test(why)) {
    const cure = `give ${host} a certificate that browsers trust for this name, with its chain: cert=fullchain.pem, pkey=privkey.pem`;
    return fault(check, `${url}: its certificate is not trusted here (${why.split(';')[0]})`, cure);
  }
  const listens = {
    udp: '',
    tcp: ', without no-tcp',
    tls: `, with tls-listening-port=${port}, cert and pkey`,
    dtls: '',
  }[transport];
  const way = `${port}/${transport === 'udp' ? 'udp' : 'tcp'}`;
  // It is a browser that the URL is for; in a container this host is another one than the browser's.
  const elsewhere = isHere(host) ? '; in a container, ask from where browsers are' : '';
  const cure = `start coturn on ${host}${listens}; open ${way}, and its relay ports (udp), in the firewall${elsewhere}`;
  return fault(check, `${url}: ${why}`, cure);
}

function refused(url: string, { code, reason }: Allocation & { kind: 'refused' }): Finding {
  if (code === 401)
    return fault(
      'turn',
      `${url} refuses our credentials (401): it has another secret, or its clock is ahead by more than TURN_TTL_S`,
      'coturn: use-auth-secret, and static-auth-secret the same as TURN_SECRET (of several the first signs)',
    );
  if (FULL_CODES.has(code))
    return warning(
      'turn',
      `${url} is full (${code} ${reason})`,
      'raise user-quota, total-quota, or its range min-port to max-port',
    );
  return fault(
    'turn',
    `${url} gives no relay address (${code} ${reason})`,
    "look into the TURN server's log",
  );
}

function open(url: string): Finding {
  const text = `${url} relays for anybody, whatever the credentials`;
  return fault('turn', text, 'coturn: use-auth-secret and static-auth-secret, and no no-auth');
}

function relayAddress(url: string, { host }: IceUrl, relay: string): Finding[] {
  if (isPublic(relay) || !isPublic(host)) return [];
  const text = `${url} gives out ${relay} as relay address, which nobody reaches from outside`;
  return [warning('turn', text, `coturn: external-ip=${host}/${relay}`)];
}

function reach(url: string, reaches: readonly string[]): Finding[] {
  if (reaches.length === 0) return [];
  const text = `${url} would relay to ${reaches.join(' and ')}: to what is inside, for anybody who has credentials`;
  const own = reaches.some(isHere) ? 'no allow-loopback-peers; ' : '';
  const cure = `coturn: ${own}denied-peer-ip=127.0.0.0-127.255.255.255, denied-peer-ip=169.254.0.0-169.254.255.255, and your own networks alike`;
  return [warning('turn', text, cure)];
}
