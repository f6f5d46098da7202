// wechatpay-axios-plugin, unmodified, against the mirror. It verifies every 2xx response by itself.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { startMirror } from './mirror.mjs';

const { Wechatpay, Aes: { AesGcm } } = createRequire(import.meta.url)('wechatpay-axios-plugin');

let mirror;
let sdk;
let stockId;
let couponId;

function client(certs) {
  const { base_url: baseURL, mchid, serial_no: serial } = mirror;
  return new Wechatpay({ baseURL, mchid, serial, privateKey: readFileSync(mirror.private_key_file), certs });
}

function decrypted(list) {
  return Object.fromEntries(list.data.map(({ serial_no: serial, encrypt_certificate: sealed }) => [
    serial,
    AesGcm.decrypt(sealed.ciphertext, mirror.api_v3_key, sealed.nonce, sealed.associated_data),
  ]));
}

before(async () => { mirror = await startMirror(); });
after(async () => { assert.equal(await mirror.stop(), 0, 'the mirror stops cleanly'); });

test('downloads the certificates, and verifies the list with what it brought', async () => {
  const bootstrap = client({ none: readFileSync(mirror.public_key_file) });
  const { data: list } = await bootstrap.client.v3.get('v3/certificates', { transformResponse: [JSON.parse] });
  sdk = client(decrypted(list));
  const { data: again } = await sdk.v3.certificates.get();
  assert.deepEqual(again.data.map((one) => one.serial_no), list.data.map((one) => one.serial_no));
});

test('creates and starts a stock', async () => {
  const now = Date.now();
  const wire = (ms) => new Date(ms + 8 * 3600e3).toISOString().replace(/\.\d+Z$/, '+08:00');
  const request = {
    stock_name: 'Tea 5 off 30',
    belong_merchant: mirror.mchid,
    available_begin_time: wire(now),
    available_end_time: wire(now + 30 * 86400e3),
    stock_use_rule: {
      max_coupons: 10, max_amount: 5000, max_coupons_per_user: 2, natural_person_limit: false, prevent_api_abuse: true,
    },
    coupon_use_rule: {
      fixed_normal_coupon: { coupon_amount: 500, transaction_minimum: 3000 },
      available_merchants: [mirror.mchid],
    },
    no_cash: true,
    stock_type: 'NORMAL',
    out_request_no: `${mirror.mchid}_interop_1`,
  };
  const { data: created } = await sdk.v3.marketing.favor.couponStocks.post(request);
  const { data: repeated } = await sdk.v3.marketing.favor.couponStocks.post(request);
  assert.deepEqual(repeated, created, 'the same out_request_no gives the same stock');
  stockId = created.stock_id;
  const start = () => sdk.v3.marketing.favor.stocks._stock_id_.start
    .post({ stock_creator_mchid: mirror.mchid }, { stock_id: stockId });
  await assert.rejects(start, ({ response }) => response.status === 400 && response.data.code === 'INVALID_REQUEST');
  await mirror.control('clock', { advance_seconds: 61 });
  const { data: started } = await start();
  assert.equal(started.stock_id, stockId);
  assert.ok(started.start_time);
});

test('sends a coupon, and a repeat is the same coupon', async () => {
  const send = (number) => sdk.v3.marketing.favor.users._openid_.coupons.post({
    stock_id: stockId, out_request_no: number, appid: mirror.appid, stock_creator_mchid: mirror.mchid,
  }, { openid: 'oInterop0001' });
  const { data: sent } = await send('interop_send_1');
  const { data: repeated } = await send('interop_send_1');
  couponId = sent.coupon_id;
  assert.equal(repeated.coupon_id, couponId);
  const { data: second } = await send('interop_send_2');
  assert.notEqual(second.coupon_id, couponId);
  await assert.rejects(() => send('interop_send_3'), ({ response }) => response.status === 403
    && response.data.code === 'REQUEST_BLOCKED');
});

const getCoupon = () => sdk.v3.marketing.favor.users._openid_.coupons._coupon_id_
  .get({ params: { appid: mirror.appid }, openid: 'oInterop0001', coupon_id: couponId });

test('queries stock and coupon', async () => {
  const { data: stock } = await sdk.v3.marketing.favor.stocks._stock_id_
    .get({ params: { stock_creator_mchid: mirror.mchid }, stock_id: stockId });
  assert.equal(stock.status, 'running');
  assert.equal(stock.distributed_coupons, 2);
  const { data: coupon } = await getCoupon();
  assert.equal(coupon.coupon_id, couponId);
  assert.equal(coupon.status, 'SENDED');
});

for (const [kind, code] of [
  ['corrupt_signature', 'EV3_RES_HEADER_SIGNATURE_DIGEST'],
  ['corrupt_body', 'EV3_RES_HEADER_SIGNATURE_DIGEST'],
  ['probe', 'EV3_RES_HEADER_SIGNATURE_DIGEST'],
  ['missing_signature', 'EV3_RES_HEADERS_INCOMPLATE'],
  ['wrong_serial', 'EV3_RES_HEADER_PLATFORM_SERIAL'],
]) {
  test(`rejects a response that the mirror spoils on purpose: ${kind}`, async () => {
    await mirror.control('faults', [{ operation: 'coupon.get', kind }]);
    await assert.rejects(getCoupon, (error) => {
      assert.equal(error.code, code);
      return true;
    });
    const { data: coupon } = await getCoupon();
    assert.equal(coupon.coupon_id, couponId, 'the next response is whole again');
  });
}

test('a request signed with a foreign key is refused with what the mirror saw', async () => {
  const { base_url: baseURL, mchid, serial_no: serial, public_key_file: publicKeyFile } = mirror;
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = new Wechatpay({ baseURL, mchid, serial, privateKey, certs: { none: readFileSync(publicKeyFile) } });
  await assert.rejects(stranger.v3.certificates.get(), ({ response }) => {
    assert.equal(response.status, 401);
    assert.equal(response.data.code, 'SIGN_ERROR');
    assert.match(response.data.detail.sign_information.truncated_sign_message, /^GET\n\/v3\/certificates\n/);
    return true;
  });
});

test('the mirror\'s own audit agrees', async () => {
  const audit = await mirror.control('audit', undefined, 'GET');
  assert.equal(audit.ok, true, JSON.stringify(audit.findings));
  const stock = audit.stocks.find((one) => one.stock_id === stockId);
  assert.equal(stock.coupons, 2);
});

test('pauses, restarts, lists, and shows merchants and items', async () => {
  const { stocks } = sdk.v3.marketing.favor;
  const body = { stock_creator_mchid: mirror.mchid };
  const { data: paused } = await stocks._stock_id_.pause.post(body, { stock_id: stockId });
  assert.ok(paused.pause_time);
  const { data: restarted } = await stocks._stock_id_.restart.post(body, { stock_id: stockId });
  assert.ok(restarted.restart_time);
  const params = { offset: 0, limit: 10, stock_creator_mchid: mirror.mchid };
  const { data: listed } = await stocks.get({ params });
  assert.ok(listed.data.some((one) => one.stock_id === stockId));
  const { data: merchants } = await stocks._stock_id_.merchants.get({ params, stock_id: stockId });
  assert.deepEqual(merchants.data, [mirror.mchid]);
  const { data: items } = await stocks._stock_id_.items.get({ params, stock_id: stockId });
  assert.equal(items.total_count, 0);
  const { data: coupons } = await sdk.v3.marketing.favor.users._openid_.coupons
    .get({ params: { appid: mirror.appid, creator_mchid: mirror.mchid }, openid: 'oInterop0001' });
  assert.equal(coupons.total_count, 2);
});

test('sets and queries the callback address', async () => {
  const { callbacks } = sdk.v3.marketing.favor;
  const { data: updated } = await callbacks.post({ mchid: mirror.mchid, notify_url: 'https://shop.example.com/c' });
  assert.ok(updated.update_time);
  const { data: callback } = await callbacks.get({ params: { mchid: mirror.mchid } });
  assert.equal(callback.notify_url, 'https://shop.example.com/c');
});

test('uploads an image, signed by its meta only', async () => {
  const { Multipart } = createRequire(import.meta.url)('wechatpay-axios-plugin');
  const { createHash } = await import('node:crypto');
  const image = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(64)]);
  const meta = { filename: 'logo.png', sha256: createHash('sha256').update(image).digest('hex') };
  const form = new Multipart();
  form.append('meta', JSON.stringify(meta), 'meta.json');
  form.append('file', image, 'logo.png');
  const { data } = await sdk.v3.marketing.favor.media.imageUpload
    .post(form.getBuffer(), { meta, headers: form.getHeaders() });
  const shown = await fetch(data.media_url);
  assert.deepEqual(Buffer.from(await shown.arrayBuffer()), image);
});

test('downloads both flows', async () => {
  const { createHash } = await import('node:crypto');
  await mirror.control(`coupons/${couponId}/redeem`, { total_amount: 3000 });
  await mirror.control(`coupons/${couponId}/refund`, {});
  await mirror.control('clock', { advance_seconds: 32 * 86400 });
  for (const flow of ['useFlow', 'refundFlow']) {
    const { data: link } = await sdk.v3.marketing.favor.stocks._stock_id_[flow].get({ stock_id: stockId });
    const { pathname, search } = new URL(link.url);
    const { data: file } = await sdk.client.v3.get(`${pathname.slice(1)}${search}`, {
      responseType: 'arraybuffer', transformResponse: [(data) => data],
    });
    assert.equal(createHash('sha1').update(file).digest('hex'), link.hash_value.toLowerCase());
    assert.ok(Buffer.from(file).toString().includes(`\`${couponId},`));
  }
});
