import { isIP } from 'node:net';
import { parseRedisUrl } from '../backplane/redis/redis-url.ts';
import type { Settings } from '../config.ts';
import { type Finding, ok, warning } from './finding.ts';
import { homesToCheck, type NamedHome } from './homes.ts';

/** What is reachable by whom, and what is too easily so. */
export function checkExposure(settings: Partial<Settings>): Finding[] {
  return [
    ...origins(settings),
    ...hosts(settings),
    ...operators(settings),
    ...(settings.NODE_ENV === 'production' ? inProduction(settings) : []),
    ...inTheClear(settings),
  ];
}

function origins({ ALLOWED_ORIGINS, NODE_ENV }: Partial<Settings>): Finding[] {
  const check = 'origins';
  if (ALLOWED_ORIGINS === undefined) return [ok(check, "pages of the node's own host name may connect")];
  const findings = ALLOWED_ORIGINS.flatMap((origin): Finding[] => {
    if (origin === '*') {
      if (NODE_ENV !== 'production') return [];
      const text = 'ALLOWED_ORIGINS holds *: any page on the web may connect with its visitors';
      return [warning(check, text, 'ALLOWED_ORIGINS=https://app.example.org')];
    }
    if (origin.startsWith('http:') && !isHere(new URL(origin).hostname)) {
      const text = `ALLOWED_ORIGINS holds ${origin}: a page without TLS gets neither camera nor microphone`;
      return [warning(check, text, `serve it by TLS: ${origin.replace('http:', 'https:')}`)];
    }
    return [];
  });
  return findings.length > 0 ? findings : [ok(check, `${ALLOWED_ORIGINS.length} allowed`)];
}

function hosts({ ALLOWED_HOSTS = [], NODE_ENV }: Partial<Settings>): Finding[] {
  const check = 'hosts';
  if (!ALLOWED_HOSTS.includes('*'))
    return [ok(check, `${ALLOWED_HOSTS.length} names besides the node's own`)];
  if (NODE_ENV !== 'production') return [];
  const text =
    "ALLOWED_HOSTS holds *: a page on the web may point its own name at this node, and is then taken for the node's own on both ports";
  return [warning(check, text, 'ALLOWED_HOSTS=calls.example.org, the names that clients and operators use')];
}

function operators({ OPS_HOST = '', OPS_PORT }: Partial<Settings>): Finding[] {
  const check = 'operators';
  if (isHere(OPS_HOST)) return [ok(check, `${OPS_HOST}:${OPS_PORT}, this machine alone`)];
  const text = `OPS_HOST=${OPS_HOST}: whoever reaches this machine reaches metrics and the admin API at port ${OPS_PORT}`;
  const cure =
    'OPS_HOST=127.0.0.1; in a container or pod, where it has to be 0.0.0.0, do not publish the port, and let a network policy admit Prometheus alone';
  return [warning(check, text, cure)];
}

/** What starts, and is seldom meant, where NODE_ENV=production. */
function inProduction(settings: Partial<Settings>): Finding[] {
  const check = 'production';
  const findings: Finding[] = [];
  const say = (text: string, cure: string) => findings.push(warning(check, text, cure));
  if (settings.BACKPLANE === 'memory')
    say('BACKPLANE=memory: one process, which takes all rooms with it when it ends', 'REDIS_URL=redis://…');
  if (settings.TURN_URLS?.length === 0)
    say(
      'no TURN_URLS: people behind strict firewalls join and hear nobody',
      'TURN_URLS=turn:turn.example.org, with TURN_SECRET',
    );
  if (settings.JWKS_URL !== undefined && settings.JWT_AUDIENCE === undefined)
    say('JWKS_URL without JWT_AUDIENCE: tokens for other services of the issuer are taken', 'JWT_AUDIENCE=…');
  if (settings.TRUST_PROXY === 'false' && settings.HOST !== '0.0.0.0' && isHere(settings.HOST ?? ''))
    say(
      `HOST=${settings.HOST}, so there is a proxy, and TRUST_PROXY is not set: everybody has its address`,
      'TRUST_PROXY=true',
    );
  if (settings.DRAIN_MS === 0)
    say('DRAIN_MS=0: a rolled node cuts its clients off in place of sending them away', 'DRAIN_MS=25000');
  return findings;
}

/** What goes over the network as it is. */
function inTheClear(settings: Partial<Settings>): Finding[] {
  const { JWKS_URL, WEBHOOK_URL } = settings;
  const findings = homesToCheck(settings).flatMap(redisInTheClear);
  for (const [check, name, url] of [
    ['jwks', 'JWKS_URL', JWKS_URL],
    ['webhooks', 'WEBHOOK_URL', WEBHOOK_URL],
  ] as const) {
    if (url?.startsWith('http:') && !isHere(new URL(url).hostname))
      findings.push(
        warning(
          check,
          `${name} is no https: URL: whoever sits between may change what is said`,
          `${name}=https://…`,
        ),
      );
  }
  return findings;
}

function redisInTheClear({ home, url, isOneOfSeveral }: NamedHome): Finding[] {
  const redis = parseRedisUrl(url);
  const given = isOneOfSeveral ? `REDIS_URLS (${home})` : 'REDIS_URL';
  const isElsewhere = redis?.hosts.some(({ host }) => !isHere(host)) ?? false;
  const findings: Finding[] = [];
  const say = (text: string, cure: string) => findings.push(warning('redis', `${given} ${text}`, cure));
  if (isElsewhere && redis?.credentials.password === undefined)
    say(
      'has no password: who reaches Redis reads every room',
      'ACL SETUSER fenghuo … as in docs/operations.md, and redis://fenghuo:PASSWORD@…',
    );
  if (redis?.isTls === false && redis.hosts.some(({ host }) => isPublic(host)))
    say('names a public address without TLS', 'rediss://… and tls-port in redis.conf');
  return findings;
}

export function isHere(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\./.test(host);
}

/** An address that is no network's own; a name may be either. */
export function isPublic(host: string): boolean {
  if (isIP(host) === 0) return false;
  return (
    !isHere(host) &&
    !/^(10|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|^f[cde]/i.test(
      host,
    )
  );
}
