import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { asksForWebSocket, faultOf } from '../../../services/signaling/sockets/upgrade.ts';

const URL = '/socket.io/?EIO=4&transport=websocket';

function request(over: {
  method?: string;
  url?: string;
  httpVersion?: string;
  upgrade?: string;
  version?: string;
}) {
  const { method = 'GET', url = URL, httpVersion = '1.1', upgrade = 'websocket', version = '13' } = over;
  const headers = { upgrade, 'sec-websocket-version': version };
  return { method, url, httpVersion, headers } as unknown as IncomingMessage;
}

describe('an offer to upgrade', () => {
  test.each([
    ['as browsers send it', {}],
    ['in another case of letters', { upgrade: 'WebSocket' }],
    ['beside another protocol', { upgrade: 'h2c, websocket' }],
    ['that socket.io refuses', { url: '/socket.io/?EIO=3&transport=polling' }],
  ])('is one for a WebSocket of ours: %s', (_, over) => expect(asksForWebSocket(request(over))).toBe(true));

  test.each([
    ['to HTTP/2', { upgrade: 'h2c' }],
    ['to TLS', { upgrade: 'TLS/1.0' }],
    ['to what only begins so', { upgrade: 'websocket2' }],
    ['at another path', { url: '/regions' }],
    ['at a path that only begins so', { url: '/socket.io/more?EIO=4&transport=websocket' }],
    ['without the last slash', { url: '/socket.io?EIO=4&transport=websocket' }],
    ['with another method', { method: 'POST' }],
    ['in HTTP/1.0', { httpVersion: '1.0' }],
  ])('is ignored: %s', (_, over) => expect(asksForWebSocket(request(over))).toBe(false));
});

test.each([
  ['nothing', {}, undefined],
  ['an old protocol', { url: '/socket.io/?EIO=3&transport=websocket' }, [400, 5]],
  ['no protocol', { url: '/socket.io/?transport=websocket' }, [400, 5]],
  // The engine reads the last.
  ['two protocols', { url: `${URL}&EIO=3` }, [400, 5]],
  ['polling', { url: '/socket.io/?EIO=4&transport=polling' }, [400, 0]],
  ['no query', { url: '/socket.io/' }, [400, 0]],
  ['another session', { url: `${URL}&sid=abc` }, [400, 1]],
  ['another WebSocket', { version: '12' }, [426, 3]],
])('a WebSocket is refused for %s', (_, over, refused) => {
  const refusal = faultOf(request(over));
  expect(refusal && [refusal.status, JSON.parse(refusal.body ?? '').code]).toEqual(refused);
});
