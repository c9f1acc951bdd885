import { NOTHING, SIGNAL, type Wire } from './wire.ts';

const TYPES = { offer: 'OFFER', answer: 'ANSWER', candidate: 'CANDIDATE' } as const;

/** The server writes the type first. */
const TYPE_WITHIN = 64;

/** PeerJS knows no rooms: who is connected has joined, under the id that it chose itself. */
export const peerjsWire: Wire = {
  path: ({ name }) => `/peerjs?key=peerjs&id=${name}&token=${name}`,
  read(frame, { name }) {
    const type = /"type":"([A-Z-]+)"/.exec(frame.toString('latin1', 0, TYPE_WITHIN))?.[1];
    if (type === 'OPEN') return { type: 'joined', id: name };
    if (type === 'ERROR' || type === 'ID-TAKEN') return { type: 'refused', why: frame.toString() };
    return type === 'OFFER' || type === 'ANSWER' || type === 'CANDIDATE' ? SIGNAL : NOTHING;
  },
  signal: (to, kind, body) => `{"type":"${TYPES[kind]}","dst":"${to}","payload":{${body}}}`,
  heartbeat: '{"type":"HEARTBEAT"}',
};
