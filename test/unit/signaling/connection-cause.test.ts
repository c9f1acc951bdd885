import { describe, expect, test } from 'vitest';
import { ConnectionCauses, wordsOf } from '../../../services/signaling/backplane/redis/connection-cause.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });

describe('the words of a cause', () => {
  test.each([
    ['the system’s own', refused, 'connect ECONNREFUSED 127.0.0.1:1'],
    [
      'with the code where it says more',
      Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate',
    ],
    ['of a name with several addresses', new AggregateError([refused]), refused.message],
    [
      'of the node of a Cluster',
      Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: refused }),
      refused.message,
    ],
    [
      'without the arguments that a server quotes',
      new Error("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'me' 'secret'"),
      "ERR unknown command 'HELLO'",
    ],
  ])('are %s', (_, error, words) => expect(wordsOf(error)).toBe(words));

  test('hold no password, in whichever way it is written', () => {
    const causes = new ConnectionCauses([{ host: 'localhost', port: 1, password: 'p@ss/word' }]);
    const told: string[] = [];
    causes.explain(new Error('no: p@ss/word, p%40ss%2Fword'), ({ message }) => told.push(message));
    expect(told).toEqual(['no: …, …']);
  });
});
