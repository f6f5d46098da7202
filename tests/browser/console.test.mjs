// The console in a real browser: what a developer does who has just got SIGN_ERROR.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from './browser.mjs';
import { FAVOR, giveCoupon, newStock, runningStock, startMirror } from './mirror.mjs';

/** A picture that would run a script, were the name ever read as HTML. It has the 20 characters a name may have. */
const HOSTILE = '<img src onerror=a>';

let mirror;
let browser;
let page;
let open;
let stock;
let coupons;
let receiver;
const received = [];

before(async () => {
  mirror = await startMirror();
  receiver = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      received.push(request.url);
      response.writeHead(200).end();
    });
  });
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  const address = { mchid: mirror.mchid, notify_url: `http://127.0.0.1:${receiver.address().port}/coupon` };
  assert.equal((await mirror.call('POST', `${FAVOR}/callbacks`, JSON.stringify(address))).status, 200);
  stock = await runningStock(mirror, HOSTILE, 'browser1');
  coupons = [];
  for (const number of [1, 2]) coupons.push(await giveCoupon(mirror, stock, `oUser${number}`, `give${number}`));

  browser = await openBrowser(mirror);
  ({ page, open } = browser);
});

after(async () => {
  await browser?.close();
  receiver?.closeAllConnections();
  receiver?.close();
  if (mirror) assert.equal(await mirror.stop(), 0);
});

describe('the console', () => {
  test('shows a refused request at once and leads to its cause', async () => {
    await open('/');
    await page.getByText('No request was refused').waitFor();
    const target = `${FAVOR}/stocks/${stock}?stock_creator_mchid=${mirror.mchid}`;
    const refused = await mirror.call('GET', target, '', { target: `${FAVOR}/stocks/${stock}` });
    assert.deepEqual([refused.status, refused.body.code], [401, 'SIGN_ERROR']);
    // Nobody reloads the page: it finds the request by itself.
    const row = page.locator('#refused tr.failed').first();
    await row.waitFor();
    assert.match(await row.innerText(), /401 SIGN_ERROR/);
    assert.match(await row.innerText(), /the query was left out of the signed message/);
    await row.getByRole('link').click();
    await page.locator('#doctor[data-cause="query_missing"]').waitFor();
    assert.equal(await page.locator('#cause').textContent(), 'the query was left out of the signed message');
    assert.match(await page.locator('#doctor .advice').innerText(), /Sign path and query together/);
    assert.equal(await page.locator('[data-side="server"] del').innerText(), `?stock_creator_mchid=${mirror.mchid}`);
    assert.equal(await page.locator('[data-side="client"] ins').count(), 0);
    // Line feeds can be seen, and the last one too.
    assert.match(await page.locator('[data-side="client"] pre').innerText(), /^GET↵\n.*↵\n\d+↵\n\w+↵\n↵/);
    // The rule with its source; the header without a usable signature; the answer.
    await page.getByText('documented', { exact: true }).waitFor();
    assert.match(await page.locator('.headers').first().innerText(), /signature="[^"]{12}…[^"]{6}"/);
    assert.match(await page.locator('pre.body').last().innerText(), /"code": "SIGN_ERROR"/);
  });

  test('marks a body that was written anew', async () => {
    const sent = JSON.stringify({ stock_id: stock, out_request_no: 'anew' });
    const signed = `{"stock_id": "${stock}", "out_request_no": "anew"}`;
    await mirror.call('POST', `${FAVOR}/users/oUser1/coupons`, sent, { body: signed });
    await open('/requests');
    await page.locator('tr.failed').first().getByRole('link').click();
    await page.locator('#doctor[data-cause^="body_"]').waitFor();
    assert.equal(await page.locator('[data-side="client"] ins').first().innerText(), '␣');
  });

  test('filters the log', async () => {
    await open('/requests');
    await page.locator('tbody tr').nth(3).waitFor();
    await page.getByLabel('Verdict').selectOption('unauthenticated');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    await page.getByLabel('Text').fill('query_missing');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    await page.getByLabel('Text').fill('there is nothing like this');
    await page.getByText('No requests match.').waitFor();
    await page.getByLabel('Text').fill('');
    await page.getByLabel('Verdict').selectOption('');
    await page.locator('tbody tr').nth(3).waitFor();
  });

  test('shows a hostile name as text', async () => {
    await open('/');
    const link = page.getByRole('link', { name: HOSTILE });
    await link.click();
    await page.getByRole('heading', { level: 1, name: HOSTILE, exact: true }).waitFor();
    assert.equal(await page.locator('main img').count(), 0);
    await mirror.call('GET', `/v3/${encodeURIComponent(HOSTILE)}?q=<script>1</script>`);
    await open('/requests');
    await page.locator('tbody tr.failed').first().getByRole('link').click();
    await page.locator('#cause').waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
  });

  test('redeems, refunds, expires and takes back coupons', async () => {
    const third = await giveCoupon(mirror, stock, 'oUser3', 'give3');
    await open(`/stocks/${stock}`);
    const row = (id) => page.locator(`tr[data-id="${id}"]`);
    const state = async (id) => (await mirror.control(`coupons/${id}`, undefined, 'GET')).status;
    await row(coupons[0]).locator('[data-act="redeem"]').click();
    await row(coupons[0]).getByText('used', { exact: true }).waitFor();
    assert.equal(await state(coupons[0]), 'USED');
    assert.match(await row(coupons[0]).innerText(), /¥30\.00 − ¥5\.00/);
    await row(coupons[0]).locator('[data-act="refund"]').click();
    await row(coupons[0]).getByText('usable', { exact: true }).waitFor();
    await row(coupons[1]).locator('[data-act="expire"]').click();
    await row(coupons[1]).getByText('expired', { exact: true }).waitFor();
    assert.equal(await state(coupons[1]), 'EXPIRED');
    await row(third).locator('[data-act="recover"]').click();
    await row(third).getByText('taken back', { exact: true }).waitFor();
    assert.equal(await state(third), 'RECOVER');
    assert.equal((await mirror.control('audit', undefined, 'GET')).ok, true);
  });

  test('puts a new stock under review and ends that', async () => {
    const fresh = await newStock(mirror, 'Under review', 'browser-review');
    const state = async () => (await mirror.control(`stocks/${fresh}`, undefined, 'GET')).status;
    await open(`/stocks/${fresh}`);
    await page.getByRole('button', { name: 'Put under review' }).click();
    await page.getByRole('button', { name: 'End the review' }).waitFor();
    assert.equal(await state(), 'audit');
    await page.getByRole('button', { name: 'End the review' }).click();
    await page.getByRole('button', { name: 'Put under review' }).waitFor();
    assert.equal(await state(), 'unactivated');
  });

  test('pauses and restarts a stock, by keyboard too', async () => {
    await open(`/stocks/${stock}`);
    const pause = page.locator('[data-act="pause"]');
    await pause.focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-act="restart"]').waitFor();
    assert.equal((await mirror.control(`stocks/${stock}`, undefined, 'GET')).status, 'paused');
    await page.locator('[data-act="restart"]').click();
    await pause.waitFor();
    await page.keyboard.press('Tab');
  });

  test('moves the clock', async () => {
    await open('/');
    const now = async () => new Date((await mirror.control('clock', undefined, 'GET')).now).getTime();
    await page.locator('#freeze').click();
    await page.getByText('frozen', { exact: true }).waitFor();
    const frozen = await now();
    assert.equal(await now(), frozen);
    await page.locator('[data-advance="3600"]').click();
    const beijing = new Date(frozen + 3_600_000 + 8 * 3_600_000).toISOString();
    const text = `${beijing.slice(0, 10)} ${beijing.slice(11, 19)} +08:00`;
    await page.waitForFunction((wanted) => document.getElementById('clock').textContent === wanted, text);
    assert.equal(await now(), frozen + 3_600_000);
    await page.locator('#freeze').click();
    await page.getByText('running', { exact: true }).first().waitFor();
  });

  test('is not set back by an answer from before a change', async () => {
    await open('/');
    await page.getByText('running', { exact: true }).first().waitFor();
    let release;
    let held;
    const released = new Promise((done) => { release = done; });
    const holding = new Promise((done) => { held = done; });
    let first = true;
    await page.route('**/_mirror/clock', async (route) => {
      if (route.request().method() !== 'GET' || !first) return route.continue();
      first = false;
      const response = await route.fetch();
      held();
      await released;
      return route.fulfill({ response });
    });
    await holding;
    await page.locator('#freeze').click();
    await page.getByText('frozen', { exact: true }).waitFor();
    const asked = page.waitForRequest((request) => request.method() === 'GET' && request.url().endsWith('/clock'));
    const shown = page.evaluate(() => new Promise((done) => {
      const card = document.getElementById('clock').parentElement;
      const seen = [];
      new MutationObserver(() => seen.push(card.querySelector('.badge').textContent))
        .observe(card, { childList: true, subtree: true });
      document.addEventListener('enough', () => done(seen));
    }));
    release();
    const again = await asked;
    await again.response();
    // The look after that one: all before it was drawn.
    await page.waitForRequest((request) => request.method() === 'GET' && request.url().endsWith('/clock'));
    await page.evaluate(() => document.dispatchEvent(new Event('enough')));
    assert.deepEqual([...new Set(await shown)].filter((text) => text !== 'frozen'), []);
    await page.unrouteAll({ behavior: 'wait' });
    await page.locator('#freeze').click();
    await page.getByText('running', { exact: true }).first().waitFor();
  });

  test('plans and takes back a fault', async () => {
    await open('/faults');
    await page.getByText('No faults are planned').waitFor();
    await page.locator('select[name="kind"]').selectOption('status');
    await page.locator('input[name="status"]').fill('503');
    await page.locator('input[name="operation"]').fill('certificates.list');
    await page.locator('select[name="place"]').selectOption('before_commit');
    await page.locator('#fault button[type="submit"]').click();
    await page.locator('tr[data-id]').waitFor();
    const hit = await mirror.call('GET', '/v3/certificates');
    assert.equal(hit.status, 503);
    await page.waitForFunction(() => document.querySelectorAll('tr[data-id] td')[4]?.textContent === '1');
    // What the form cannot know is refused in words, not lost.
    await page.locator('input[name="operation"]').fill('nothing.such');
    await page.locator('#fault button[type="submit"]').click();
    await page.locator('.notice.bad').waitFor();
    await page.locator('#clear').click();
    await page.getByText('No faults are planned').waitFor();
  });

  test('offers every kind of fault, with its fields', async () => {
    await open('/faults');
    const values = (list) => page.locator(`${list} option`).evaluateAll((options) => options.map((one) => one.value));
    const told = await mirror.control('faults', { kind: 'none of them' }).catch((error) => error.message);
    const known = /there are (.+)$/.exec(told)[1].split(', ');
    assert.deepEqual((await values('select[name="kind"]')).sort(), known.sort());
    assert.ok((await values('#operations')).includes('card.event'));
    const plan = async (kind, fields) => {
      await page.locator('select[name="kind"]').selectOption(kind);
      await page.locator('select[name="place"]').selectOption('');
      for (const [name, value] of Object.entries(fields)) {
        const field = page.locator(`#fault [name="${name}"]`);
        await (name === 'hash' ? field.selectOption(value) : field.fill(value));
      }
      await page.locator('#fault button[type="submit"]').click();
      const row = page.locator('tr[data-id]').filter({ has: page.getByText(kind, { exact: true }) });
      await row.waitFor();
      return row.innerText();
    };
    await plan('cut_after', { operation: 'certificates.list', bytes: '5' });
    await assert.rejects(mirror.call('GET', '/v3/certificates'));
    assert.equal((await mirror.call('GET', '/v3/certificates')).status, 200);
    assert.match(await plan('oversized_body', { bytes: '70000' }), /bytes 70000/);
    assert.match(await plan('redirect', { status: '307', location: 'https://a.example/' }), /location https:\/\/a\.example\/, status 307/);
    // These concern some calls alone, of which one is proposed.
    assert.match(await plan('wrong_hash', {}), /stock\.use_flow/);
    assert.match(await plan('link_to', { url: 'https://a.example/f' }), /stock\.use_flow[^]*url https:\/\/a\.example\/f/);
    assert.match(await plan('expired_link', { operation: 'stock.flow_file' }), /stock\.flow_file/);
    assert.match(await plan('gzip', { hash: 'packed', operation: 'stock.refund_flow' }), /stock\.refund_flow[^]*hash packed/);
    assert.match(await plan('hold', { operation: 'card.event' }), /card\.event[^]*seconds 60/);
    assert.match(await plan('errcode', { errcode: '-1' }), /card\.\*[^]*errcode -1/);
    await page.locator('#clear').click();
    await page.getByText('No faults are planned').waitFor();
  });

  test('rotates the platform certificate', async () => {
    await open('/');
    await page.locator('#rotate').click();
    await page.getByText('A new certificate signs from now on').waitFor();
    assert.equal((await mirror.control('keys', undefined, 'GET')).serials.length, 2);
  });

  test('draws deliveries of callbacks and asks for a replay', async () => {
    const entry = {
      id: 7, notification_id: 'EV-2026', event_type: 'COUPON.USE', mchid: mirror.mchid, stock_id: stock, coupon_id: coupons[0],
      transaction_id: 'T1', created: '2026-08-10T12:00:00+08:00', notify_url: 'https://shop.example/<b>hook</b>', state: 'pending',
      next_attempt: '2026-08-10T12:00:15+08:00',
      deliveries: [{ attempt: 1, time: '2026-08-10T12:00:01+08:00', serial: 'ABC', faults: ['probe'], status: null, error: 'refused', latency_us: 1234, replay: false }],
    };
    const replays = [];
    await page.route('**/_mirror/callbacks?*', (route) => route.fulfill({ json: { callbacks: [entry] } }));
    await page.route('**/_mirror/callbacks/*/replay', (route) => {
      replays.push(new URL(route.request().url()).pathname);
      const again = { attempt: 2, time: '2026-08-10T12:00:05+08:00', serial: 'ABC', faults: [], status: 200, error: null, latency_us: 900, replay: true };
      Object.assign(entry, { state: 'delivered', next_attempt: null, deliveries: [...entry.deliveries, again] });
      return route.fulfill({ json: entry });
    });
    await open('/callbacks');
    const shown = page.locator('article[data-id="7"]');
    await shown.getByText('https://shop.example/<b>hook</b>').waitFor();
    assert.match(await shown.innerText(), /pending[\s\S]*COUPON\.USE[\s\S]*12:00:15 \+08:00[\s\S]*probe/);
    await shown.locator('[data-act="replay"]').click();
    await shown.getByText('delivered').waitFor();
    assert.deepEqual(replays, ['/_mirror/callbacks/7/replay']);
    await page.unrouteAll();
  });

  test('replays a callback for real', async () => {
    await mirror.control(`coupons/${coupons[0]}/redeem`, {});
    await mirror.control('clock', { advance_seconds: 60 });
    await open('/callbacks');
    // Without the messages of the pages before.
    await page.reload();
    const entry = page.locator('article[data-id]').first();
    await entry.getByText('delivered', { exact: true }).waitFor();
    assert.ok(received.length >= 1);
    const again = once(receiver, 'request');
    await entry.locator('[data-act="replay"]').click();
    const [request] = await again;
    assert.ok(request.headers['wechatpay-signature']);
    await page.getByText('Delivered again: 200').waitFor();
    await entry.locator('summary').click();
    await entry.getByText('replay', { exact: true }).waitFor();
  });

  test('speaks Chinese and remembers it', async () => {
    await open('/');
    await page.getByRole('heading', { name: 'Last refused requests' }).waitFor();
    await page.locator('#language').click();
    await page.getByRole('heading', { name: '最近被拒绝的请求' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '最近被拒绝的请求' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    await page.locator('#refused').getByText('签名时漏掉了查询参数').first().click({ trial: true });
    await page.locator('#language').click();
    await page.getByRole('heading', { name: 'Last refused requests' }).waitFor();
  });

  test('is light and dark', async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await open('/');
    const light = await ground();
    await page.locator('#theme').selectOption('dark');
    assert.notEqual(await ground(), light);
    await page.reload();
    await page.locator('#theme').waitFor();
    assert.notEqual(await ground(), light);
    await page.locator('#theme').selectOption('auto');
    assert.equal(await ground(), light);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.notEqual(await ground(), light);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  test('fits a narrow window', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const route of ['/', '/requests', '/requests/1', `/stocks/${stock}`, '/faults']) {
      await open(route);
      await page.locator('.card').first().waitFor();
      const [width, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(width <= shown, `${route} is ${width} wide in a window of ${shown}`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test('says what is gone and what never was', async () => {
    await open('/nothing');
    await page.getByText('There is no such page.').waitFor();
  });

  test('caused no error and asked nobody else', () => {
    // The one refused call is the fault that the form could not know.
    assert.deepEqual(browser.own(), []);
    assert.deepEqual(browser.refused(), ['400']);
    assert.deepEqual(browser.strangers, []);
  });
});
