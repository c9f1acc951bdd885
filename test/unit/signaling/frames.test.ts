import { expect, test } from 'vitest';
import * as ws from 'ws';
import { ackFrame, eventFrame, textFrame } from '../../../services/signaling/sockets/frames.ts';

/** As the library that socket.io uses writes it. */
function framed(text: string): Buffer {
  const { Sender } = ws as unknown as {
    Sender: { frame(data: Buffer, options: object): Buffer[] };
  };
  return Buffer.concat(
    Sender.frame(Buffer.from(text), { readOnly: false, mask: false, rsv1: false, opcode: 1, fin: true }),
  );
}

test.each([0, 1, 125, 126, 65_535, 65_536, 200_000])(
  'a text of %i bytes is framed as the library does',
  (bytes) => {
    expect(textFrame('x'.repeat(bytes)).equals(framed('x'.repeat(bytes)))).toBe(true);
  },
);

test('a length is counted in bytes', () => {
  const name = '烽火'.repeat(21);
  expect(textFrame(name).equals(framed(name))).toBe(true);
});

test('events and acknowledgements are packets of Socket.IO', () => {
  expect(eventFrame('signal', '{"seq":7}').equals(framed('42["signal",{"seq":7}]'))).toBe(true);
  expect(ackFrame(12, { ok: true, value: { seq: 7 } }).equals(framed('4312[{"ok":true,"seq":7}]'))).toBe(
    true,
  );
});
