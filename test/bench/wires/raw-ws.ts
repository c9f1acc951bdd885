import { NOTHING, SIGNAL, type Wire } from './wire.ts';

const F = 'f'.charCodeAt(0);
const J = 'j'.charCodeAt(0);

/** The plainest JSON: `{"join","token"}`, `{"joined"}`, `{"to",…}`, `{"from",…}`. */
export const rawWire: Wire = {
  path: () => '/',
  opening: ({ room, token }) => JSON.stringify({ join: room, token }),
  read(frame) {
    if (frame[2] === F) return SIGNAL;
    if (frame[2] !== J) return NOTHING;
    return { type: 'joined', id: (JSON.parse(frame.toString()) as { joined: string }).joined };
  },
  signal: (to, _, body) => `{"to":"${to}",${body}}`,
};
