// The mirror's notifications in the hands of wechatpay-axios-plugin, unmodified: it verifies and opens them in each
// mode of WeChat's keys, and refuses what it must.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { startMirror } from './mirror.mjs';
import { startReceiver } from './receiver.mjs';

const { Wechatpay, Aes: { AesGcm } } = createRequire(import.meta.url)('wechatpay-axios-plugin');

const OPENID = 'oInteropTold';
// The mirror's ids begin with its date, and decide in the grey week: so a run is like any other.
const START = '2027-03-01T10:00:00+08:00';
const DAY = 86400;

// Everything a test needs: a mirror, a client, a receiver that its notifications go to, and a stock that is given out.
async function world(modes, work) {
  const mirror = await startMirror();
  let receiver;
  try {
    const publicKey = { [mirror.public_key_id]: readFileSync(mirror.public_key_file) };
    let certs = modes.includes('publicKey') ? publicKey : {};
    const options = modes.includes('publicKey') ? { headers: { 'Wechatpay-Serial': mirror.public_key_id } } : {};
    const client = () => new Wechatpay({
      baseURL: mirror.base_url, mchid: mirror.mchid, serial: mirror.serial_no,
      privateKey: readFileSync(mirror.private_key_file),
      certs: Object.keys(certs).length ? certs : { none: readFileSync(mirror.public_key_file) },
      ...options,
    });
    let downloads = 0;
    const download = async () => {
      downloads += 1;
      const { data: list } = await client().client.v3.get('v3/certificates', { transformResponse: [JSON.parse] });
      for (const { serial_no: serial, encrypt_certificate: sealed } of list.data) {
        const { ciphertext, nonce, associated_data: data } = sealed;
        certs = { ...certs, [serial]: AesGcm.decrypt(ciphertext, mirror.api_v3_key, nonce, data) };
      }
    };
    await mirror.control('clock', { set: START });
    await mirror.control('clock', { freeze: true });
    if (!modes.includes('certificates')) await mirror.control('keys/public-key', { phase: 'on' });
    else await download();
    receiver = await startReceiver({
      apiV3Key: mirror.api_v3_key, keys: () => certs, refresh: modes.includes('certificates') ? download : undefined,
    });
    const { favor } = client().v3.marketing;
    await favor.callbacks.post({ mchid: mirror.mchid, notify_url: receiver.url });
    const stockId = await runningStock(mirror, favor);
    const coupons = () => client().v3.marketing.favor.users._openid_.coupons;
    let sent = 0;
    const give = async () => {
      sent += 1;
      const openid = `${OPENID}${String(sent).padStart(4, '0')}`;
      const { data: { coupon_id: couponId } } = await coupons().post({
        stock_id: stockId, out_request_no: `told_${sent}`, appid: mirror.appid, stock_creator_mchid: mirror.mchid,
      }, { openid });
      return { openid, couponId };
    };
    await work({
      mirror,
      receiver,
      downloads: () => downloads,
      give,
      // Pays with a coupon, and answers how the API shows it then.
      async pay(given) {
        const { openid, couponId } = given ?? await give();
        await mirror.control(`coupons/${couponId}/redeem`, { total_amount: 3850, transaction_id: `T-${couponId}` });
        const { data: coupon } = await coupons()._coupon_id_
          .get({ params: { appid: mirror.appid }, openid, coupon_id: couponId });
        return coupon;
      },
    });
  } finally {
    await receiver?.stop();
    assert.equal(await mirror.stop(), 0, 'the mirror stops cleanly');
  }
}

async function runningStock(mirror, favor) {
  const at = (days) => new Date(Date.parse(START) + days * DAY * 1e3 + 8 * 3600e3).toISOString()
    .replace(/\.\d+Z$/, '+08:00');
  const { data: { stock_id: stockId } } = await favor.couponStocks.post({
    stock_name: 'Tea 5 off 30',
    belong_merchant: mirror.mchid,
    available_begin_time: at(0),
    available_end_time: at(30),
    stock_use_rule: {
      max_coupons: 100, max_amount: 50000, max_coupons_per_user: 1, natural_person_limit: false,
      prevent_api_abuse: false,
    },
    coupon_use_rule: {
      fixed_normal_coupon: { coupon_amount: 500, transaction_minimum: 3000 }, available_merchants: [mirror.mchid],
    },
    no_cash: true,
    stock_type: 'NORMAL',
    out_request_no: `${mirror.mchid}_told`,
  });
  await mirror.control('clock', { advance_seconds: 61 });
  await favor.stocks._stock_id_.start.post({ stock_creator_mchid: mirror.mchid }, { stock_id: stockId });
  return stockId;
}

const rotate = (mirror) => mirror.control('keys/rotate', {});
const served = async (mirror) => (await mirror.control('keys', undefined, 'GET')).serials;
const log = async (mirror) => (await mirror.control('callbacks?limit=1', undefined, 'GET')).callbacks[0];
const advance = (mirror, seconds) => mirror.control('clock', { advance_seconds: seconds });

// What was opened is the coupon as the API shows it, field by field; and nothing of it says whose it is.
function assertTold({ notification, resource, refused }, coupon) {
  assert.equal(refused, undefined);
  assert.equal(notification.event_type, 'COUPON.USE');
  assert.equal(notification.resource_type, 'encrypt-resource');
  assert.match(notification.id, /^EV-\d{1,33}$/);
  assert.equal(notification.resource.original_type, 'coupon');
  assert.equal(resource.status, 'USED');
  for (const [field, value] of Object.entries(resource)) assert.deepEqual(value, coupon[field], field);
  for (const field of ['stock_creator_mchid', 'stock_id', 'coupon_id', 'coupon_name', 'description', 'create_time',
    'coupon_type', 'no_cash', 'available_begin_time', 'available_end_time', 'singleitem', 'normal_coupon_information',
    'consume_information']) {
    assert.ok(resource[field] !== undefined, `${field} is missing`);
  }
  assert.equal(resource.consume_information.transaction_id, `T-${coupon.coupon_id}`);
  assert.ok(!('openid' in resource) && !('out_request_no' in resource));
}

test('with certificates, through two rotations', () => world(['certificates'], async (one) => {
  const given = [];
  while (given.length < 9) given.push(await one.give());
  const serials = [];
  for (const [payment, coupon] of given.entries()) {
    // The first that hears of the new certificate is the receiver.
    if (payment === 3 || payment === 6) await rotate(one.mirror);
    const paid = await one.pay(coupon);
    const arrivals = one.receiver.take();
    assert.equal(arrivals.length, 1, 'told once, before the payment is answered');
    assertTold(arrivals[0], paid);
    serials.push(arrivals[0].serial);
  }
  const [first, second, third] = await served(one.mirror);
  assert.deepEqual(new Set(serials), new Set([first, second, third]));
  for (const at of [0, 3, 6]) assert.equal(new Set(serials.slice(at, at + 3)).size, 1, `${serials}`);
  assert.equal(one.downloads(), 3, 'the list is asked for at the start and once for each rotation');
}));

test('with the public key alone, whatever rotates', () => world(['publicKey'], async (one) => {
  for (let payment = 0; payment < 4; payment += 1) {
    if (payment === 2) await rotate(one.mirror);
    const coupon = await one.pay();
    const [arrival] = one.receiver.take();
    assertTold(arrival, coupon);
    assert.equal(arrival.serial, one.mirror.public_key_id);
  }
  assert.equal(one.downloads(), 0);
}));

const both = ['certificates', 'publicKey'];
test('in the grey week, with both kinds and a rotation in it', () => world(both, async (one) => {
  await one.mirror.control('keys/public-key', { phase: 'grey' });
  const byDay = [];
  for (let day = 1; day <= 7; day += 1) {
    if (day === 4) await rotate(one.mirror);
    const byPublicKey = [];
    for (let payment = 0; payment < 10; payment += 1) {
      const coupon = await one.pay();
      const [arrival] = one.receiver.take();
      assertTold(arrival, coupon);
      byPublicKey.push(arrival.serial === one.mirror.public_key_id);
    }
    byDay.push(byPublicKey.filter(Boolean).length);
    await advance(one.mirror, DAY);
  }
  assert.equal(byDay[0], 0, `a thousandth on the first day: ${byDay}`);
  assert.ok(byDay[5] > 0 && byDay[5] < 10, `both kinds on the sixth day: ${byDay}`);
  assert.equal(byDay[6], 10, `all on the seventh: ${byDay}`);
  const coupon = await one.pay();
  const [arrival] = one.receiver.take();
  assertTold(arrival, coupon);
  assert.equal(arrival.serial, one.mirror.public_key_id);
}));

for (const [modes, what] of [[['certificates'], 'certificate'], [['publicKey'], 'public key']]) {
  for (const [kind, refusal] of [
    ['probe', 'the signature does not hold'],
    ['corrupt_signature', 'the signature does not hold'],
    ['corrupt_body', 'the signature does not hold'],
    ['wrong_serial', 'nobody knows this serial'],
    ['missing_signature', 'a signature header is missing'],
  ]) {
    const name = `${what}: ${kind} is refused, and the true one follows`;
    test(name, () => world(modes, async ({ mirror, receiver, pay }) => {
      await mirror.control('faults', [{ operation: 'callback.notify', kind }]);
      const coupon = await pay();
      const [spoilt] = receiver.take();
      assert.equal(spoilt.refused, refusal);
      if (kind === 'probe') assert.match(spoilt.headers['wechatpay-signature'], /^WECHATPAY\/SIGNTEST\//);
      assert.equal((await log(mirror)).state, 'pending');
      await advance(mirror, 15);
      const [good] = receiver.take();
      assertTold(good, coupon);
      const { state, notification_id: id, deliveries } = await log(mirror);
      assert.deepEqual([state, id], ['delivered', good.notification.id]);
      assert.deepEqual(deliveries.map(({ status, faults }) => [status, faults]), [[401, [kind]], [204, []]]);
    }));
  }
}

test('a body changed on the way is refused wherever it is changed', () => world(['publicKey'], async (one) => {
  const { receiver } = one;
  await one.pay();
  const [{ headers, body }] = receiver.take();
  const signed = Object.fromEntries(Object.entries(headers)
    .filter(([name]) => name.startsWith('wechatpay-') || name === 'content-type'));
  const post = async (changed) => {
    const response = await fetch(receiver.url, { method: 'POST', headers: signed, body: changed });
    return response.status;
  };
  assert.equal(await post(body), 204, 'as it came it is taken again');
  for (let at = 0; at < body.length; at += 41) {
    const other = body[at] === '0' ? '1' : '0';
    assert.equal(await post(body.slice(0, at) + other + body.slice(at + 1)), 401, `changed at ${at}`);
  }
  assert.equal(await post(`${body} `), 401);
  assert.equal(await post(''), 401);
}));

test('a duplicate and a replay have the same id, and are sealed anew', () => world(['certificates'], async (one) => {
  const { mirror, receiver } = one;
  await mirror.control('faults', [{ operation: 'callback.notify', kind: 'duplicate', copies: 3 }]);
  const coupon = await one.pay();
  await mirror.control(`callbacks/${(await log(mirror)).id}/replay`, {});
  const arrivals = receiver.take();
  assert.equal(arrivals.length, 4);
  for (const arrival of arrivals) assertTold(arrival, coupon);
  const distinct = (of) => new Set(arrivals.map(of)).size;
  assert.equal(distinct(({ notification }) => notification.id), 1);
  assert.equal(distinct(({ notification }) => notification.resource.nonce), 4);
  assert.equal(distinct(({ headers }) => headers['wechatpay-nonce']), 4);
}));
