import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** The version that is agreed on. */
export async function tlsVersion(port: number, options: ConnectionOptions): Promise<string | null> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    return socket.getProtocol();
  } finally {
    socket.destroy();
  }
}

export async function headersOverTls(port: number): Promise<IncomingHttpHeaders> {
  const request = httpsGet({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.headers;
}

/** Of the certificate that is shown there, its fingerprint. */
export async function certificateOf(port: number): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
  }
}
