import { TOKEN_FAULTS } from '../domain/token.ts';
import type { Family } from './catalogue.ts';

export function tokenMetrics(family: Family) {
  return {
    refused: family.counter(
      'signaling_tokens_refused_total',
      'Tokens that were not taken, at the handshake, in an update or for GET /ice, by reason.',
      { reason: TOKEN_FAULTS },
    ),
    expired: family.counter(
      'signaling_tokens_expired_total',
      'Connections whose token expired and was not replaced in time, so that the node ended them.',
    ),
    keysFetched: family.counter(
      'signaling_jwks_fetches_total',
      'Requests for the keys at JWKS_URL, by outcome; after one that failed the keys from before go on serving.',
      { outcome: ['ok', 'failed'] },
    ),
    iceCredentials: family.counter(
      'signaling_ice_credentials_total',
      'TURN credentials that this node signed: for joins, snapshots and GET /ice.',
    ),
  };
}
