import { type Finding, fault, reasonOf, warning } from './finding.ts';
import type { NamedHome } from './homes.ts';
import { checkHome, type Examined, type Self } from './redis-home.ts';

/** What a node needs of each home's Redis. All that is written lies under a prefix of its own for a minute at most. */
export async function checkRedis(homes: readonly NamedHome[], self: Self): Promise<Finding[]> {
  const examined = await Promise.all(
    homes.map(async (home) => {
      const { findings, servers } = await checkHome(home, self).catch((error) => notLookedAt(error, home));
      return { home, findings: findings.map((finding) => ofHome(finding, home)), servers };
    }),
  );
  return [...examined.flatMap(({ findings }) => findings), ...twins(examined)];
}

function notLookedAt(error: unknown, { isLocal }: NamedHome): Examined {
  const level = isLocal ? fault : warning;
  return {
    findings: [level('redis', `could not be looked at: ${reasonOf(error)}`, 'run the doctor again')],
    servers: [],
  };
}

/** Homes that are one Redis: as it comes of a URL that was copied. */
function twins(examined: readonly (Examined & { readonly home: NamedHome })[]): Finding[] {
  return examined.flatMap(({ home, servers }, at) => {
    const others = examined.slice(at + 1);
    const sharing = (own: (server: string) => string) =>
      others.find((other) => other.servers.map(own).some((id) => servers.map(own).includes(id)));
    const twin = sharing((server) => server);
    if (twin === undefined) return neighbours(home, sharing(runOf)?.home);
    const text = `${home.home} and ${twin.home.home} are the same Redis: each node is two there, and its outage takes both`;
    return [fault('redis', text, 'correct REDIS_URLS: a Redis of its own for each home')];
  });
}

/** Homes in two databases of one server. */
function neighbours({ home }: NamedHome, other: NamedHome | undefined): Finding[] {
  if (other === undefined) return [];
  const text = `${home} and ${other.home} are databases of one Redis: its outage takes both`;
  return [warning('redis', text, 'correct REDIS_URLS: a Redis of its own for each home')];
}

/** Of a server and its database, the server. */
function runOf(server: string): string {
  return server.replace(/\/\d+$/, '');
}

/** What is found in one of several homes says in which, and where its URL stands. */
function ofHome(finding: Finding, { home, isOneOfSeveral }: NamedHome): Finding {
  if (!isOneOfSeveral) return finding;
  const put = (text: string) =>
    text
      .replace(/REDIS_URL=(\S+)/, (_, url: string) => `${home}=${url} in REDIS_URLS`)
      .replaceAll(/\bREDIS_URL\b/g, 'REDIS_URLS');
  return {
    ...finding,
    text: `${home}: ${put(finding.text)}`,
    ...(finding.cure === undefined ? {} : { cure: put(finding.cure) }),
  };
}
