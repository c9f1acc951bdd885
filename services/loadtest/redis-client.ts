import { connect } from 'node:net';

const ANSWER_MS = 2_000;

/** Asks a Redis on loopback one thing over a connection of its own, so that no state of ours is in the way of a fault. */
export function askRedis(
  port: number,
  command: readonly string[],
  answerMs: number = ANSWER_MS,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
      socket.write(`*${command.length}\r\n${words}`);
    });
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`Redis on port ${port}, ${command[0]}: ${why}`));
    };
    socket.setTimeout(answerMs, () => fail(`no answer within ${answerMs} ms`));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const reply = parse(text);
      if (reply === undefined) return;
      socket.destroy();
      if (reply.isError) fail(reply.text);
      else resolve(reply.text);
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('the connection closed'));
  });
}

/** A whole RESP2 reply, an array's elements by lines; undefined while some of it is missing. */
function parse(text: string): { isError: boolean; text: string } | undefined {
  const lines = text.split('\r\n');
  if (lines.length < 2) return undefined;
  const head = lines[0] ?? '';
  const kind = head[0];
  const rest = head.slice(1);
  if (kind === '+' || kind === ':') return { isError: false, text: rest };
  if (kind === '-') return { isError: true, text: rest };
  if (kind === '$') {
    if (rest === '-1') return { isError: false, text: '' };
    const body = text.slice(head.length + 2);
    return Buffer.byteLength(body) < Number(rest) + 2
      ? undefined
      : { isError: false, text: body.slice(0, -2) };
  }
  if (kind === '*') {
    // Flat arrays of short strings alone: a length line and a value line each.
    const count = Number(rest);
    if (count < 0) return { isError: false, text: '' };
    const values = lines.slice(1, -1).filter((_, index) => index % 2 === 1);
    return lines.length < 2 + 2 * count ? undefined : { isError: false, text: values.join('\n') };
  }
  return { isError: true, text: `cannot read ${JSON.stringify(head)}` };
}
