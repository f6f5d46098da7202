// A merchant's server that takes notifications with wechatpay-axios-plugin, the way its documentation says: the
// message by its formatter, the signature by its Rsa, the sealed part by its Aes.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const { Rsa, Formatter, Aes: { AesGcm } } = createRequire(import.meta.url)('wechatpay-axios-plugin');

// `keys` answers the platform's keys by serial, anew for each notification; `refresh` is asked once for a serial that
// is not among them. Each arrival is kept: what came, and what became of it.
export async function startReceiver({ apiV3Key, keys, refresh = async () => {} }) {
  const arrivals = [];

  async function open(headers, body) {
    const [timestamp, nonce, signature, serial] = ['timestamp', 'nonce', 'signature', 'serial']
      .map((name) => headers[`wechatpay-${name}`]);
    if (!timestamp || !nonce || !signature || !serial) throw new Error('a signature header is missing');
    if (Math.abs(Formatter.timestamp() - Number(timestamp)) >= 300) throw new Error('outside the window');
    if (!keys()[serial]) await refresh();
    if (!keys()[serial]) throw new Error('nobody knows this serial');
    if (!Rsa.verify(Formatter.response(timestamp, nonce, body), signature, keys()[serial])) {
      throw new Error('the signature does not hold');
    }
    const notification = JSON.parse(body);
    const { ciphertext, nonce: sealedWith, associated_data: data } = notification.resource;
    return { notification, resource: JSON.parse(AesGcm.decrypt(ciphertext, apiV3Key, sealedWith, data)) };
  }

  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const arrival = { headers: request.headers, serial: request.headers['wechatpay-serial'], body };
    try {
      Object.assign(arrival, await open(request.headers, body));
      response.writeHead(204).end();
    } catch ({ message }) {
      arrival.refused = message;
      response.writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ code: 'FAIL', message: message.slice(0, 64) }));
    }
    arrivals.push(arrival);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/notify`,
    // What came since the last time.
    take: () => arrivals.splice(0),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
