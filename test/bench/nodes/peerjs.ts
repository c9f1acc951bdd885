// The PeerJS server as it comes, with room for as many as the bench connects.
import { PeerServer } from 'peer';

import { readTask, sayReady } from './task.ts';

const { port } = readTask();
PeerServer({ port, host: '127.0.0.1', path: '/', concurrent_limit: 20_000 }, sayReady);
