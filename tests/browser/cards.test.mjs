// The pages about cards in a real browser: what a developer does who tries out the card API.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from './browser.mjs';
import { startMirror } from './mirror.mjs';
import { groupon, memberCard, officialAccount } from './official_account.mjs';

/** A picture that would run a script, were the title ever read as HTML. It has the 27 bytes a title may have. */
const HOSTILE = '<img src onerror=alert(1)>';

let mirror;
let account;
let receiver;
let browser;
let page;
let open;
/** Events that arrived, and the cards. */
const pushed = [];
let tea;
let member;

const row = (id) => page.locator(`tr[data-id="${id}"]`);
const outcome = () => page.locator('#outcome');
const codes = async (card) => (await mirror.control(`card/codes?card_id=${card}`, undefined, 'GET')).codes;
const told = (event) => page.locator(`tr[data-event="${event}"]`);

before(async () => {
  mirror = await startMirror();
  account = await officialAccount(mirror);
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part) => { body += part; });
    request.on('end', () => {
      if (request.method === 'POST') pushed.push(body);
      const echo = new URL(request.url, 'http://localhost').searchParams.get('echostr');
      response.writeHead(200).end(request.method === 'GET' ? echo : 'success');
    });
  });
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  browser = await openBrowser(mirror);
  ({ page, open } = browser);
});

after(async () => {
  await browser?.close();
  receiver?.closeAllConnections();
  receiver?.close();
  if (mirror) assert.equal(await mirror.stop(), 0);
});

describe('the pages about cards', () => {
  test('set an account up', async () => {
    await open('/cards');
    await page.getByText('No cards yet').waitFor();
    const own = row(mirror.appid);
    await own.getByText('none: events are kept, not sent').waitFor();
    await own.getByText('plain 1').waitFor();
    await page.getByText('Set the push address').click();
    await page.locator('#address [name="url"]').fill(`http://127.0.0.1:${receiver.address().port}/events`);
    await page.locator('#address [name="token"]').fill('no');
    await page.locator('#address [type="submit"]').click();
    // Too short a token is refused in words, and the form is as it was.
    await page.locator('.notice.bad').getByText('3 to 32 letters and digits').waitFor();
    await page.locator('#address [name="token"]').fill('merchantToken01');
    await page.locator('#address [type="submit"]').click();
    await own.getByText(`http://127.0.0.1:${receiver.address().port}/events`).waitFor();
    await own.locator('select[name="review"]').selectOption('manual');
    await page.getByText(`Reviews of ${mirror.appid}: by hand.`).waitFor();
    const [kept] = (await mirror.control('card/accounts', undefined, 'GET')).accounts;
    assert.deepEqual([kept.mode, kept.review], ['plain', 'manual']);
  });

  test('show a new card at once and let it pass its review', async () => {
    await open('/cards');
    tea = (await account.ok('/card/create', groupon('Tea for two'))).card_id;
    // Nobody reloads the page: it finds the card by itself.
    await row(tea).getByText('under review').waitFor();
    assert.match(await row(tea).innerText(), /groupon · Tea Nook[\s\S]*500 of 500 left/);
    assert.equal(await row(tea).locator('.swatch').evaluate((one) => one.style.backgroundColor), 'rgb(221, 101, 73)');
    await row(tea).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Tea for two' }).waitFor();
    await page.getByText('The review waits for you.').waitFor();
    // Before that, only test users may have it.
    await page.locator('[data-act="claim"]').click();
    await outcome().getByText('errcode').waitFor();
    assert.match(await outcome().innerText(), /errcode \d+.*rule broken: .*\((documented|seen|assumed)/);
    await page.locator('[data-act="pass"]').click();
    await page.getByText('passed', { exact: true }).waitFor();
    await page.getByText('The review waits for you.').waitFor({ state: 'detached' });
    await told('card_pass_check').getByText('delivered').waitFor();
  });

  test('refuse a card with a reason', async () => {
    const { card_id: id } = await account.ok('/card/create', groupon(HOSTILE));
    await open(`/cards/${id}`);
    await page.getByRole('heading', { level: 1, name: HOSTILE, exact: true }).waitFor();
    await page.locator('[name="reason"]').fill('<b>blurred</b>');
    await page.locator('[data-act="refuse"]').click();
    await page.locator('.card').getByText('Refused: <b>blurred</b>').waitFor();
    await page.getByText('refused', { exact: true }).waitFor();
    assert.equal((await mirror.control(`card/cards/${id}`, undefined, 'GET')).refuse_reason, '<b>blurred</b>');
    assert.equal(await page.locator('main img, main b:has-text("blurred")').count(), 0);
  });

  test('claim, gift, accept and redeem', async () => {
    await open(`/cards/${tea}`);
    await page.locator('#people [name="user"]').fill('oAnna');
    await page.locator('#people [name="friend"]').fill('oBela');
    await page.locator('#people [name="scene"]').fill('poster-7');
    await page.locator('[data-act="claim"]').click();
    await outcome().getByText('oAnna has the card now').waitFor();
    const [first] = await codes(tea);
    assert.deepEqual([first.openid, first.user_card_status, first.outer_str], ['oAnna', 'NORMAL', 'poster-7']);
    await row(first.code).locator('[data-act="gift"]').click();
    await row(first.code).getByText('on its way to a friend').waitFor();
    assert.match(await row(first.code).innerText(), /goes back at \d{4}-\d\d-\d\d/);

    // What makes no sense can be tried too: the refusal says errcode and rule.
    await row(first.code).locator('summary').click();
    await row(first.code).locator('[data-act="redeem"]').click();
    await outcome().getByText('errcode 40127').waitFor();
    assert.match(await outcome().innerText(), /invalid user-card status — rule broken: .*documented, section cards 5\.2/);

    await row(first.code).locator('[data-act="accept"]').click();
    await row(first.code).getByText('given away').waitFor();
    const [second] = await codes(tea);
    assert.deepEqual([second.openid, second.user_card_status], ['oBela', 'NORMAL']);
    assert.notEqual(second.code, first.code);
    await row(second.code).locator('[data-act="redeem"]').click();
    await row(second.code).locator('[title="CONSUMED"]').waitFor();
    await outcome().getByText(`The code ${second.code} was redeemed.`).waitFor();
    await row(second.code).locator('[data-act="remove"]').click();
    await row(second.code).getByText('deleted by the user').waitFor();
  });

  test('show what was pushed, with its XML', async () => {
    await open(`/cards/${tea}`);
    for (const event of ['user_consume_card', 'user_gifting_card', 'user_del_card']) {
      await told(event).getByText('delivered').waitFor();
    }
    assert.equal(await told('user_get_card').count(), 2);
    const consumed = told('user_consume_card');
    assert.match(await consumed.innerText(), /a code was redeemed[\s\S]*oBela[\s\S]*200/);
    await consumed.locator('summary').click();
    await consumed.getByText('<ConsumeSource><![CDATA[FROM_MOBILE_HELPER]]></ConsumeSource>').waitFor();
    assert.ok(pushed.some((xml) => xml.includes('user_consume_card')));
    const before = pushed.length;
    await consumed.locator('[data-act="replay"]').click();
    await page.getByText('Delivered again: 200').waitFor();
    assert.match(pushed[before], /user_consume_card/);
    // An open one stays open when something new comes.
    await page.locator('[data-act="claim"]').click();
    await page.waitForFunction(() => document.querySelectorAll('tr[data-event="user_get_card"]').length === 3);
    assert.equal(await consumed.locator('details').evaluate((one) => one.open), true);
  });

  test('claim from a QR code, once', async () => {
    const info = { card: { card_id: tea, outer_str: 'table-3', is_unique_code: true } };
    const { ticket } = await account.ok('/card/qrcode/create', { action_name: 'QR_CARD', expire_seconds: 1800, action_info: info });
    await open(`/cards/${tea}`);
    await page.locator('#people [name="scene"]').fill('');
    await page.locator('#people [name="user"]').fill('oCora');
    await row(ticket).getByText('open', { exact: true }).waitFor();
    await row(ticket).locator('[data-act="scan"]').click();
    await row(ticket).getByText('used up').waitFor();
    const [code] = await codes(tea);
    assert.deepEqual([code.openid, code.outer_str], ['oCora', 'table-3']);
    await row(ticket).locator('[data-act="scan"]').click();
    await outcome().getByText('errcode 45031').waitFor();
  });

  test('claim and redeem a code of the merchant', async () => {
    const { card_id: id } = await account.ok('/card/create', groupon('Tea by code', { use_custom_code: true }));
    await mirror.control(`card/cards/${id}/review`, {});
    await open(`/cards/${id}`);
    await page.getByText('the merchant, one for each claim').waitFor();
    await page.locator('#people [name="code"]').fill('TEA-1');
    await page.locator('[data-act="claim"]').click();
    await row('TEA-1').getByText('custom', { exact: true }).waitFor();
    await row('TEA-1').locator('[data-act="redeem"]').click();
    await row('TEA-1').locator('[title="CONSUMED"]').waitFor();
    // Of another card there is no such code to ask for.
    await open(`/cards/${tea}`);
    await page.locator('#people').waitFor();
    assert.equal(await page.locator('#people [name="code"]').isVisible(), false);
  });

  test('pay from a card that has the cell', async () => {
    await account.ok('/card/paycell/set', { card_id: tea, is_open: true });
    await open(`/cards/${tea}`);
    const [code] = await codes(tea);
    await page.locator('#people [name="fee"]').fill('8500');
    await row(code.code).locator('[data-act="pay"]').click();
    await outcome().getByText('oCora paid from the card').waitFor();
    await told('user_pay_from_pay_cell').getByText('delivered').waitFor();
  });

  test('show points and balance of member cards, and bring one back', async () => {
    member = (await account.ok('/card/create', memberCard('Tea members'))).card_id;
    await account.ok('/card/membercard/activateuserform/set', {
      card_id: member,
      required_form: {
        common_field_id_list: ['USER_FORM_INFO_FLAG_MOBILE'], custom_field_list: ['favourite tea'],
        rich_field_list: [
          { type: 'FORM_FIELD_RADIO', name: 'hot', values: ['yes', 'no'] },
          { type: 'FORM_FIELD_CHECK_BOX', name: 'days', values: ['Monday', 'Friday'] },
        ],
      },
    });
    await mirror.control(`card/cards/${member}/review`, {});
    const { code } = await mirror.control('card/claim', { card_id: member, openid: 'oAnna' });
    await open(`/cards/${member}`);
    await row(code).getByText('not active').waitFor();
    await row(code).locator('[data-act="form"]').click();
    await row(code).getByText('active', { exact: true }).waitFor();
    await account.ok('/card/membercard/updateuser', { card_id: member, code, add_bonus: 103, add_balance: 5000 });
    await row(code).getByText('103 points · ¥50.00').waitFor();
    await told('update_member_card').waitFor();
    // That of the other card is not shown here.
    assert.equal(await told('user_consume_card').count(), 0);
    await row(code).locator('[data-act="view"]').click();
    await outcome().getByText('oAnna looked at the card').waitFor();
    await row(code).locator('[data-act="remove"]').click();
    await row(code).locator('[data-act="restore"]').click();
    await row(code).getByText('usable', { exact: true }).waitFor();
  });

  test('come back for a gift that nobody took', async () => {
    await open(`/cards/${member}`);
    const [{ code }] = await codes(member);
    await row(code).locator('[data-act="gift"]').click();
    await row(code).locator('[title="GIFTING"]').waitFor();
    await mirror.control('clock', { advance_seconds: 86_400 });
    await row(code).getByText('came back').waitFor();
    await row(code).locator('[data-act="reopen"]').click();
    await row(code).getByText('usable', { exact: true }).waitFor();
  });

  test('explain a stale token and a refused call', async () => {
    // The day that has passed has ended the first token.
    account = await officialAccount(mirror);
    assert.equal((await account.call('/card/get', '{')).errcode, 47001);
    const refused = await account.call('/card/code/get', { code: '000000000000' });
    assert.equal(refused.errcode, 40056);
    await open('/cards');
    await row(mirror.appid).locator('[data-act="stale"]').click();
    await page.getByText('Tokens made stale:').waitFor();
    assert.equal((await account.call('/card/get', { card_id: tea })).errcode, 40001);
    await open('/requests');
    const [stale, wrong] = [page.locator('tr.failed').nth(0), page.locator('tr.failed').nth(1)];
    await stale.getByText('errcode 40001').waitFor();
    await stale.getByText('token', { exact: true }).waitFor();
    await stale.getByText('The access token is stale').waitFor();
    await wrong.getByText('errcode 40056').waitFor();
    await stale.getByRole('link').click();
    await page.locator('#cause').getByText('The access token is stale').waitFor();
    await page.getByText('a newer token has taken its place; it was valid until').waitFor();
    await page.getByText('send the same body once more, and only once').waitFor();
    await page.getByText('documented', { exact: true }).waitFor();
    await open('/requests');
    await wrong.getByRole('link').click();
    await page.locator('#cause').getByText('invalid serial code', { exact: true }).waitFor();
    await page.getByText('card.serial_code', { exact: true }).waitFor();
    assert.equal(await page.getByText('The answer is not signed.').count(), 0);
    // What the answer says about this very call comes first.
    await open('/requests');
    await page.locator('tr.failed').nth(2).getByRole('link').click();
    await page.locator('#cause').getByText('EOF while parsing').waitFor();
    // A token in the log could be used by whoever reads it.
    await open('/requests');
    await page.getByLabel('Operation').fill('card.token');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    await page.locator('tbody tr').first().getByRole('link').click();
    await page.getByText('not kept: it holds a secret, a token or a ticket').waitFor();
    await open('/requests');
    await page.getByLabel('Operation').fill('');
  });

  test('speak Chinese, in the dark too', async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await open(`/cards/${tea}`);
    const light = await ground();
    await page.locator('#language').click();
    await page.getByText('通过审核', { exact: true }).waitFor();
    await page.getByText('模拟用户操作').waitFor();
    await page.locator('#theme').selectOption('dark');
    assert.notEqual(await ground(), light);
    await page.locator('#people [name="user"]').fill('oDora');
    await page.locator('[data-act="claim"]').click();
    await outcome().getByText('oDora 已领取').waitFor();
    await open('/cards');
    await page.getByRole('heading', { name: '公众号' }).waitFor();
    await row(tea).getByText('通过审核').waitFor();
    await page.locator('#theme').selectOption('auto');
    await page.locator('#language').click();
    await page.getByRole('heading', { name: 'Official Accounts' }).waitFor();
  });

  test('fit a narrow window', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const route of ['/cards', `/cards/${tea}`, `/cards/${member}`]) {
      await open(route);
      await page.locator('tr[data-event]').first().waitFor();
      const [width, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(width <= shown, `${route} is ${width} wide in a window of ${shown}`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test('say which card is not there', async () => {
    await open('/cards/pNoSuchCard');
    await page.getByText('It is not there (any more).').waitFor();
  });

  test('caused no error and asked nobody else', () => {
    assert.deepEqual(browser.own(), []);
    // Asked on purpose: the short token, an early claim, a gift redeemed, a ticket used twice; and the card that is not there.
    assert.deepEqual([...new Set(browser.refused())].sort(), ['400', '404', '409']);
    assert.deepEqual(browser.strangers, []);
  });
});
