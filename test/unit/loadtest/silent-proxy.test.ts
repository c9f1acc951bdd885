import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

import { type SilentProxy, startSilentProxy } from '../../../services/loadtest/silent-proxy.ts';
import { eventually } from '../../support/eventually.ts';

const SILENT_MS = 100;

let proxy: SilentProxy;
let server: Server;
const served: Socket[] = [];

beforeEach(async () => {
  served.length = 0;
  server = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startSilentProxy((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await proxy.stop();
    for (const socket of served) socket.destroy();
    server.close();
  });
});

function client() {
  const state = { text: '', isClosed: false, socket: connect(proxy.port, '127.0.0.1') };
  state.socket.setEncoding('utf8').on('data', (text: string) => {
    state.text += text;
  });
  state.socket.on('error', () => {});
  state.socket.on('close', () => {
    state.isClosed = true;
  });
  onTestFinished(() => void state.socket.destroy());
  return state;
}

test('bytes pass, wait while it is silent, and pass again afterwards', async () => {
  const one = client();
  one.socket.write('a');
  await eventually(() => one.text === 'echo a');
  proxy.silence();
  one.socket.write('b');
  await sleep(SILENT_MS);
  expect(one.text).toBe('echo a');
  expect(one.isClosed).toBe(false);
  proxy.speak();
  await eventually(() => one.text === 'echo aecho b');
});

test('who connects while it is silent is neither served nor refused', async () => {
  proxy.silence();
  const one = client();
  one.socket.write('a');
  await sleep(SILENT_MS);
  expect(one.socket.readyState).toBe('open');
  expect(served).toHaveLength(0);
  proxy.speak();
  await eventually(() => one.text === 'echo a');
});

test('an end during the silence is told when it is over', async () => {
  const one = client();
  one.socket.write('a');
  await eventually(() => one.text === 'echo a');
  proxy.silence();
  served[0]?.destroy();
  await sleep(SILENT_MS);
  expect(one.isClosed).toBe(false);
  proxy.speak();
  await eventually(() => one.isClosed);
});

test('the server sees the address that the client comes from', async () => {
  const one = connect({ port: proxy.port, host: '127.0.0.1', localAddress: '127.3.0.4' });
  onTestFinished(() => void one.destroy());
  await eventually(() => served.length === 1);
  expect(served[0]?.remoteAddress).toBe('127.3.0.4');
});
