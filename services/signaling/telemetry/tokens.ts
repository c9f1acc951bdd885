import { Counter, type Registry } from 'prom-client';
import { TOKEN_FAULTS } from '../domain/token.ts';

export function tokenMetrics(registry: Registry) {
  const registers = [registry];
  const refused = new Counter({
    name: 'signaling_tokens_refused_total',
    help: 'Tokens that were not taken, at the handshake, in an update or for GET /ice, by reason.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of TOKEN_FAULTS) refused.inc({ reason }, 0);
  const expired = new Counter({
    name: 'signaling_tokens_expired_total',
    help: 'Connections whose token expired and was not replaced in time, so that the node ended them.',
    registers,
  });
  const keysFetched = new Counter({
    name: 'signaling_jwks_fetches_total',
    help: 'Requests for the keys at JWKS_URL, by outcome; after one that failed the keys from before go on serving.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of ['ok', 'failed']) keysFetched.inc({ outcome }, 0);
  const iceCredentials = new Counter({
    name: 'signaling_ice_credentials_total',
    help: 'TURN credentials that this node signed: for joins, snapshots and GET /ice.',
    registers,
  });
  return { refused, expired, keysFetched, iceCredentials };
}
