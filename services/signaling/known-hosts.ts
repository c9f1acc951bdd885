import { hostname, networkInterfaces } from 'node:os';
import type { Config } from './config.ts';
import { hostSetting, type KnownHosts } from './domain/hosts.ts';

/** Clients may use the node's own names, those that its settings give it, and those of the pages that may connect. */
export function clientsHosts({ allowedHosts, allowedOrigins, publicUrl, clients }: Config): KnownHosts {
  const urls = [publicUrl, ...(allowedOrigins ?? [])].flatMap((url) => url ?? []);
  const names = urls.flatMap(hostOf);
  const parents = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
  return { ...knownHosts(allowedHosts, [clients.host, ...names]), parents };
}

/** Operators may use no public name, unless ALLOWED_HOSTS holds it. */
export function operatorsHosts({ allowedHosts, operators }: Config): KnownHosts {
  return knownHosts(allowedHosts, [operators.host]);
}

/** A node notices a new interface within this time. Strangers' requests cannot make it look more often. */
const LOOKED_AT_AGAIN_MS = 5_000;
/** A listener at every address has no address by that. */
const EVERYWHERE = ['0.0.0.0', '[::]'];

function knownHosts(allowed: readonly string[], others: readonly string[]): KnownHosts {
  const names = canonical([hostname(), ...others, ...allowed]);
  for (const name of EVERYWHERE) names.delete(name);
  let own = ownAddresses();
  let lookedAtMs = performance.now();
  return {
    isAny: allowed.includes('*'),
    names,
    parents: [],
    isOwnAddress(name) {
      if (own.has(name)) return true;
      const nowMs = performance.now();
      if (nowMs - lookedAtMs < LOOKED_AT_AGAIN_MS) return false;
      lookedAtMs = nowMs;
      own = ownAddresses();
      return own.has(name);
    },
  };
}

function ownAddresses(): ReadonlySet<string> {
  return canonical(
    Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
  );
}

function canonical(names: readonly string[]): Set<string> {
  return new Set(names.flatMap((name) => hostSetting(name) ?? []));
}

function hostOf(url: string): string[] {
  return URL.canParse(url) ? [new URL(url).hostname] : [];
}
