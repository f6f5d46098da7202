// wechatpay-axios-plugin, unmodified and mostly with its own host, by each way to the mirror and in each mode of
// WeChat's keys. Node takes a further authority only at its start, so each run is a process with the environment
// that `favor mirror` prints.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { startMirror } from './mirror.mjs';

const program = fileURLToPath(new URL('reach_client.mjs', import.meta.url));

async function run(mirror, task, variables) {
  const inherited = Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name) && !/^NODE_/.test(name));
  const env = { ...Object.fromEntries(inherited), MIRROR: JSON.stringify(mirror.ready), ...variables };
  const child = spawn(process.execPath, [program, task], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, `${task} failed`);
}

const proxied = (mirror) => ({
  HTTPS_PROXY: mirror.proxy_url, NO_PROXY: 'localhost,127.0.0.1,::1', NODE_EXTRA_CA_CERTS: mirror.ca_file,
});
const trusting = (mirror) => ({ NODE_EXTRA_CA_CERTS: mirror.ca_file });

for (const [what, task, variables] of [
  ['through the proxy: a stock from creation to its files', 'life', proxied],
  ['through the proxy: two rotations in 2,000 calls', 'certificates', proxied],
  ['through the proxy: the public key only', 'publicKey', proxied],
  ['through the proxy: the switch to the public key', 'mixed', proxied],
  ['through the proxy: no other host', 'refused', proxied],
  ['by TLS at an address of its own', 'tls', trusting],
  ['by a hosts entry', 'hosts', trusting],
  ['without the authority nothing is believed', 'distrust', (mirror) => ({ HTTPS_PROXY: mirror.proxy_url })],
]) {
  test(what, async () => {
    const mirror = await startMirror();
    try {
      await run(mirror, task, variables(mirror));
    } finally {
      assert.equal(await mirror.stop(), 0, 'the mirror stops cleanly');
    }
  });
}
