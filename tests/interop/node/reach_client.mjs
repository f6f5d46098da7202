// One run of reach.test.mjs: a client of a mirror that runs already. The task is the argument.
import assert from 'node:assert/strict';
import https from 'node:https';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { handle } from './mirror.mjs';

const require = createRequire(import.meta.url);
const { Wechatpay, Aes: { AesGcm } } = require('wechatpay-axios-plugin');
const axios = createRequire(require.resolve('wechatpay-axios-plugin'))('axios');

const PRODUCTION = 'https://api.mch.weixin.qq.com/';
const CALLS = 2000;
const WORKERS = 16;

const mirror = handle(JSON.parse(process.env.MIRROR));
const publicKey = { [mirror.public_key_id]: readFileSync(mirror.public_key_file) };
const asksForPublicKey = { headers: { 'Wechatpay-Serial': mirror.public_key_id } };

function client(certs, options = {}) {
  const { mchid, serial_no: serial } = mirror;
  return new Wechatpay({ mchid, serial, privateKey: readFileSync(mirror.private_key_file), certs, ...options });
}

// The certificates, as a program gets them that has none: the APIv3 key vouches for them.
async function download(options = {}) {
  const { data: list } = await client({ none: readFileSync(mirror.public_key_file) }, options)
    .client.v3.get('v3/certificates', { transformResponse: [JSON.parse] });
  return Object.fromEntries(list.data.map(({ serial_no: serial, encrypt_certificate: sealed }) => [
    serial,
    AesGcm.decrypt(sealed.ciphertext, mirror.api_v3_key, sealed.nonce, sealed.associated_data),
  ]));
}

const wire = (time) => new Date(time.getTime() + 8 * 3600e3).toISOString().replace(/\.\d+Z$/, '+08:00');

async function createStock(sdk, number) {
  const now = new Date((await mirror.control('clock', undefined, 'GET')).now);
  const { data } = await sdk.v3.marketing.favor.couponStocks.post({
    stock_name: 'Tea 5 off 30',
    belong_merchant: mirror.mchid,
    available_begin_time: wire(now),
    available_end_time: wire(new Date(now.getTime() + 30 * 86400e3)),
    stock_use_rule: {
      max_coupons: 10, max_amount: 5000, max_coupons_per_user: 2, natural_person_limit: false, prevent_api_abuse: true,
    },
    coupon_use_rule: {
      fixed_normal_coupon: { coupon_amount: 500, transaction_minimum: 3000 },
      available_merchants: [mirror.mchid],
    },
    no_cash: true,
    stock_type: 'NORMAL',
    out_request_no: number,
  });
  return data.stock_id;
}

const readStock = (sdk, stockId) => sdk.v3.marketing.favor.stocks._stock_id_
  .get({ params: { stock_creator_mchid: mirror.mchid }, stock_id: stockId });

// Makes calls from several workers, and does something once a count is reached. Answers how often each key signed.
async function drive(calls, call, turns = {}) {
  const signed = {};
  let begun = 0;
  await Promise.all(Array.from({ length: WORKERS }, async () => {
    while (begun < calls) {
      begun += 1;
      if (turns[begun]) await turns[begun]();
      const { headers } = await call(begun);
      const serial = headers['wechatpay-serial'];
      signed[serial] = (signed[serial] ?? 0) + 1;
    }
  }));
  assert.equal(Object.values(signed).reduce((sum, count) => sum + count), calls, 'every call succeeded, verified');
  return signed;
}

const rotate = () => mirror.control('keys/rotate', {});
const phase = (name) => mirror.control('keys/public-key', { phase: name });
const served = async () => (await mirror.control('keys', undefined, 'GET')).serials;

// A client that follows the rules: it keeps all certificates it knows, and an unknown serial makes it ask for newer
// ones, once for all calls that met it.
async function follower(options = {}, known = {}) {
  let certs = { ...known, ...await download(options) };
  let sdk = client(certs, options);
  let refreshing;
  const refresh = async () => {
    certs = { ...certs, ...await download(options) };
    sdk = client(certs, options);
    refreshing = undefined;
  };
  return {
    get sdk() { return sdk; },
    async call(work) {
      const tried = sdk;
      try {
        return await work(tried);
      } catch (error) {
        if (error.code !== 'EV3_RES_HEADER_PLATFORM_SERIAL') throw error;
        if (tried === sdk) refreshing ??= refresh();
        await refreshing;
        return work(sdk);
      }
    },
  };
}

const tasks = {
  async life() {
    const { sdk } = await follower();
    assert.equal(sdk.client.v3.defaults.baseURL, PRODUCTION, 'the SDK keeps its host');
    const { data: list } = await sdk.v3.certificates.get();
    assert.equal(list.data.length, 1);
    const { favor } = sdk.v3.marketing;
    const stockId = await createStock(sdk, 'reach_1');
    await mirror.control('clock', { advance_seconds: 61 });
    await favor.stocks._stock_id_.start.post({ stock_creator_mchid: mirror.mchid }, { stock_id: stockId });
    const { data: sent } = await favor.users._openid_.coupons.post({
      stock_id: stockId, out_request_no: 'reach_send_1', appid: mirror.appid, stock_creator_mchid: mirror.mchid,
    }, { openid: 'oInterop0001' });
    const day = (await mirror.control('clock', undefined, 'GET')).now.slice(0, 10);
    await mirror.control(`coupons/${sent.coupon_id}/redeem`, { total_amount: 3000 });
    await mirror.control('clock', { advance_seconds: 32 * 86400 });
    const { data: ofStock } = await favor.stocks._stock_id_.useFlow.get({ stock_id: stockId });
    const { data: ofDay } = await favor.stocks._stock_id_.useFlowByDay
      .get({ params: { bill_date: day }, stock_id: stockId });
    // The links are followed as they are: each names a host of production.
    for (const [url, host, hash] of [
      [ofStock.url, 'api.mch.weixin.qq.com', ofStock.hash_value],
      [ofDay.url, 'download-service.wechatpay.cn', ofDay.stock_useflow_hash],
    ]) {
      assert.equal(new URL(url).origin, `https://${host}`);
      const { data: file } = await sdk.client.v3.get(url, {
        responseType: 'arraybuffer', transformResponse: [(data) => data],
      });
      assert.equal(createHash('sha1').update(file).digest('hex'), hash.toLowerCase());
      assert.ok(Buffer.from(file).toString().includes(`\`${sent.coupon_id},`));
    }
  },

  async certificates() {
    const rules = await follower();
    const stockId = await createStock(rules.sdk, 'reach_1');
    const signed = await drive(CALLS, () => rules.call((sdk) => readStock(sdk, stockId)), {
      [CALLS / 4]: rotate, [CALLS / 2]: rotate,
    });
    assert.deepEqual(Object.keys(signed).sort(), (await served()).sort());
    assert.equal(Object.keys(signed).length, 3);
  },

  async publicKey() {
    await phase('on');
    const sdk = client(publicKey, asksForPublicKey);
    const stockId = await createStock(sdk, 'reach_1');
    const signed = await drive(200, () => readStock(sdk, stockId), { 100: rotate });
    assert.deepEqual(Object.keys(signed), [mirror.public_key_id]);
  },

  async mixed() {
    // Half of the calls ask for the public key; before the switch is opened they get a certificate all the same.
    const asking = await follower(asksForPublicKey, publicKey);
    const plain = await follower({}, publicKey);
    const stockId = await createStock(asking.sdk, 'reach_1');
    const signed = await drive(CALLS, (number) => (number % 2 ? asking : plain).call((sdk) => readStock(sdk, stockId)), {
      [CALLS / 4]: () => phase('grey'), [CALLS / 2]: rotate, [(CALLS / 4) * 3]: () => phase('on'),
    });
    assert.deepEqual(Object.keys(signed).sort(), [...await served(), mirror.public_key_id].sort());
    // All of the last quarter and half of the two before, but for the calls under way at each turn.
    assert.ok(Math.abs(signed[mirror.public_key_id] - CALLS / 2) < 100, JSON.stringify(signed));
  },

  async refused() {
    await assert.rejects(axios.get('https://example.com/'), /403|Forbidden/i);
    const { requests: [refused] } = await mirror.control('requests?limit=1', undefined, 'GET');
    assert.equal(refused.path, 'example.com:443');
    assert.match(refused.notes[0], /NO_PROXY/);
  },

  async tls() {
    const baseURL = mirror.base_url.replace('http://127.0.0.1', 'https://localhost');
    const { sdk } = await follower({ baseURL });
    await readStock(sdk, await createStock(sdk, 'reach_1'));
  },

  async hosts() {
    // What a line in the hosts file does, and the port of a mirror that may not use 443.
    const { hostname, port } = new URL(mirror.base_url);
    const httpsAgent = new https.Agent();
    const connect = httpsAgent.createConnection;
    httpsAgent.createConnection = (options, done) => {
      assert.equal(options.host, 'api.mch.weixin.qq.com');
      return connect.call(httpsAgent, { ...options, host: hostname, port }, done);
    };
    const { sdk } = await follower({ httpsAgent });
    await readStock(sdk, await createStock(sdk, 'reach_1'));
  },

  async distrust() {
    await assert.rejects(download(), ({ code }) => /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/.test(code));
    // The mirror learns of it only when the connection ends.
    const end = Date.now() + 60e3;
    let logged;
    do {
      assert.ok(Date.now() < end, 'nothing was logged');
      ({ requests: [logged] } = await mirror.control('requests?limit=1', undefined, 'GET'));
    } while (!logged);
    assert.match(logged.notes[0], /ca_file/);
  },
};

await tasks[process.argv[2]]();
