import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';

describe('every answer of either port', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ backplane: 'memory', nodes: 1 });
  });
  afterAll(() => cluster?.stop());

  test.each([
    ['url', '/'],
    ['url', '/ice'],
    ['url', '/regions'],
    ['url', '/nowhere'],
    ['opsUrl', '/metrics'],
    ['opsUrl', '/readyz'],
    ['opsUrl', '/admin/v1/nodes'],
    ['opsUrl', '/console'],
    ['opsUrl', '/nowhere'],
  ] as const)(
    'of %s%s may be framed by nobody, and tells no other site where one was',
    async (port, path) => {
      const { headers } = await fetch(`${cluster.nodes[0][port]}${path}`);
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
      });
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
    },
  );

  test("of the clients' port may ask for camera and microphone, of the operators' port for neither", async () => {
    const { url, opsUrl } = cluster.nodes[0];
    const allowed = async (at: string) => (await fetch(at)).headers.get('permissions-policy');
    expect(await allowed(`${url}/`)).toContain('camera=(self), microphone=(self), display-capture=()');
    expect(await allowed(`${opsUrl}/console`)).toContain('camera=(), microphone=(), display-capture=()');
  });
});
