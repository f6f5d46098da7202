// Starts `favor mirror`, signs requests to it, and makes up the requests that go wrong.
import { spawn } from 'node:child_process';
import { createSign, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const favor = process.env.FAVOR_BIN ?? fileURLToPath(new URL('../../target/debug/favor', import.meta.url));

export async function startMirror() {
  if (!existsSync(favor)) throw new Error(`${favor} is missing: run "cargo build" first, or use "make browser"`);
  const child = spawn(favor, ['mirror', '--output', 'json', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => { throw new Error(`favor mirror ended early with ${code}`); }),
  ]);
  const ready = JSON.parse(line);
  const key = readFileSync(ready.private_key_file, 'utf8');

  /** A signed call; `signed` changes what is signed, not what is sent. */
  async function call(method, target, body = '', signed = {}) {
    const part = { method, target, body, ...signed };
    const timestamp = String(Math.trunc(Date.now() / 1000));
    const nonce = randomBytes(16).toString('hex').toUpperCase();
    const message = `${part.method}\n${part.target}\n${timestamp}\n${nonce}\n${part.body}\n`;
    const signature = createSign('RSA-SHA256').update(message).sign(key, 'base64');
    const items = { mchid: ready.mchid, nonce_str: nonce, timestamp, serial_no: ready.serial_no, signature };
    const authorization = Object.entries(items).map(([name, value]) => `${name}="${value}"`).join(',');
    const headers = {
      accept: 'application/json',
      'user-agent': 'favor-browser-test/1',
      authorization: `WECHATPAY2-SHA256-RSA2048 ${authorization}`,
    };
    if (body) headers['content-type'] = 'application/json';
    const response = await fetch(ready.base_url + target, { method, headers, body: body || undefined });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  async function control(path, body, method = 'POST') {
    const init = { method, headers: { 'content-type': 'application/json' } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${ready.base_url}/_mirror/${path}`, init);
    const value = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${value.message}`);
    return value;
  }

  async function stop() {
    child.kill('SIGTERM');
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    return code;
  }
  return { ...ready, call, control, stop };
}

export const FAVOR = '/v3/marketing/favor';

/** Creates a stock, which is not started. */
export async function newStock(mirror, name, number, change = {}) {
  const now = new Date((await mirror.control('clock', undefined, 'GET')).now);
  const at = (days) => new Date(now.getTime() + days * 86_400_000).toISOString().replace(/\.\d+Z$/, '+00:00');
  const body = {
    stock_name: name, belong_merchant: mirror.mchid,
    available_begin_time: at(0.0001), available_end_time: at(30),
    stock_use_rule: {
      max_coupons: 20, max_amount: 10_000, max_coupons_per_user: 5, natural_person_limit: false, prevent_api_abuse: false,
    },
    coupon_use_rule: {
      fixed_normal_coupon: { coupon_amount: 500, transaction_minimum: 3_000 },
      available_merchants: [mirror.mchid],
    },
    no_cash: true, stock_type: 'NORMAL', out_request_no: number, ...change,
  };
  const created = await mirror.call('POST', `${FAVOR}/coupon-stocks`, JSON.stringify(body));
  if (created.status !== 200) throw new Error(JSON.stringify(created.body));
  return created.body.stock_id;
}

/** Creates and starts a stock; the test clock moves on by a minute. */
export async function runningStock(mirror, name, number, change = {}) {
  const id = await newStock(mirror, name, number, change);
  await mirror.control('clock', { advance_seconds: 61 });
  const started = await mirror.call('POST', `${FAVOR}/stocks/${id}/start`, JSON.stringify({ stock_creator_mchid: mirror.mchid }));
  if (started.status !== 200) throw new Error(JSON.stringify(started.body));
  return id;
}

/** Gives a coupon and answers its id. */
export async function giveCoupon(mirror, stock, openid, number) {
  const body = { stock_id: stock, out_request_no: number, appid: mirror.appid, stock_creator_mchid: mirror.mchid };
  const given = await mirror.call('POST', `${FAVOR}/users/${openid}/coupons`, JSON.stringify(body));
  if (given.status !== 200) throw new Error(JSON.stringify(given.body));
  return given.body.coupon_id;
}
