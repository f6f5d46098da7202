// The first page: what was refused last, then stocks, merchants, clock, keys and the audit.
import { fresh, get, post } from './api.js';
import { Part, badge, button, card, facts, h, table } from './dom.js';
import { count, time, yuan } from './format.js';
import { attempt } from './notice.js';
import { requestTable } from './requests.js';
import { budgetBar, off, statusBadge } from './stock.js';
import { named, t } from './words.js';

const REFUSED = 8;
const VERDICTS = ['unauthenticated', 'refused', 'faulted', 'failed'];

/** Newest refused requests, of all kinds together. */
async function refusedRequests() {
  const lists = await Promise.all(VERDICTS.map((verdict) => get(`requests?limit=${REFUSED}&verdict=${verdict}`)));
  return lists.flatMap((list) => list.requests).sort((one, two) => two.id - one.id).slice(0, REFUSED);
}

const stockTable = (stocks) =>
  table([t('stock'), t('status'), t('given'), t('budget'), t('used'), t('expired'), t('window')],
    stocks.map((stock) => h('tr', { 'data-id': stock.stock_id },
      h('td', { class: 'path' },
        h('a', { href: `#/stocks/${stock.stock_id}`, 'data-key': `s${stock.stock_id}` }, stock.name),
        h('div', { class: 'dim' }, `${stock.stock_id} · ${off(stock)} · ${stock.creator_mchid}`)),
      h('td', {}, statusBadge(stock.status)),
      h('td', { class: 'nowrap' }, t('couponsOf', count(stock.distributed), count(stock.max_coupons)), h('div', {}, budgetBar(stock))),
      h('td', { class: 'nowrap number' }, yuan(stock.given_amount), h('div', { class: 'dim' }, `/ ${yuan(stock.max_amount)}`)),
      h('td', { class: 'number' }, count(stock.used)),
      h('td', { class: 'number' }, count(stock.expired)),
      h('td', { class: 'when' }, time(stock.available_begin_time), h('div', {}, time(stock.available_end_time))))),
    t('noStocks'), t('stocks'));

const merchantTable = (merchants) =>
  table([t('merchant'), t('balance'), t('serial'), t('appids')],
    merchants.map((merchant) => h('tr', {},
      h('td', {}, merchant.mchid),
      h('td', { class: 'nowrap number' }, yuan(merchant.balance_fen)),
      h('td', { class: 'path' }, h('code', {}, merchant.serial_no || '–')),
      h('td', { class: 'path' }, merchant.appids.join(', ')))),
    t('none'), t('merchants'));

/** Its buttons stay where they are while the time moves. */
function clockCard() {
  const now = h('p', { class: 'clock', id: 'clock' });
  const state = h('span');
  const wire = h('p', { class: 'dim' });
  const set = async (change) => {
    await attempt(async () => {
      const clock = await post('clock', change);
      show(clock);
      return clock;
    }, (clock) => t('clockNow', time(clock.now)));
  };
  const freeze = button('', () => set({ freeze: !frozen }), { id: 'freeze' });
  const rate = h('select', { 'aria-label': t('rate'), id: 'rate', onchange: () => set({ rate: Number(rate.value) }) },
    ['1', '60', '3600', '86400'].map((speed) => h('option', { value: speed }, t('speed', speed))));
  const rateLabel = h('label', { hidden: true }, h('span', {}, t('rate')), rate);
  let frozen = false;
  function show(clock) {
    frozen = clock.frozen;
    now.textContent = time(clock.now);
    wire.textContent = clock.wire_now ? `${t('wireClock')}: ${time(clock.wire_now)}` : '';
    state.replaceChildren(badge(frozen ? 'odd' : 'good', t(frozen ? 'frozen' : 'runs')));
    freeze.textContent = t(frozen ? 'run' : 'freeze');
    rateLabel.hidden = clock.rate === undefined;
    if (clock.rate !== undefined && document.activeElement !== rate) {
      const value = String(clock.rate);
      if (![...rate.options].some((option) => option.value === value)) rate.append(h('option', { value }, t('speed', value)));
      rate.value = value;
    }
  }
  const step = (name, seconds) =>
    button(t(name), () => set({ advance_seconds: seconds }), { 'data-advance': seconds });
  const element = card([t('clock'), ' ', state], now, wire,
    h('div', { class: 'row' }, step('advance1m', 60), step('advance1h', 3600), step('advance1d', 86400), freeze, rateLabel));
  return { element, show };
}

function auditCard() {
  const part = new Part(h('div'), (audit) => (audit === null ? null : audit.ok
    ? h('p', {}, badge('good', '✓'), ' ', t('auditOk'))
    : [h('p', {}, badge('bad', t('auditBad', audit.findings.length))),
      h('ul', {}, audit.findings.slice(0, 20).map((finding) => h('li', {}, Object.values(finding).join(' · '))))]));
  const run = async () => { part.show(await get('audit')); };
  const element = card(t('audit'), part.element, button(t('auditRun'), () => attempt(run), { class: 'small' }));
  return { element, run };
}

/** The certificates, with the one that signs; of a list of serials alone that is the last. */
const certificates = (keys) =>
  keys.certificates ?? keys.serials.map((serial, at) => ({ serial_no: serial, signs: keys.phase !== 'on' && at === keys.serials.length - 1 }));

const certificate = (one) => h('div', {}, h('code', {}, one.serial_no),
  one.signs ? [' ', badge('good', t('signsNow'))] : null,
  one.signs_from ? h('div', { class: 'dim' }, t('signsFrom', time(one.signs_from))) : null,
  one.listed_until ? h('div', { class: 'dim' }, t('listedUntil', time(one.listed_until))) : null);

const keyFacts = (keys) => facts([
  [t('phase'), named('phase', keys.phase)],
  [t('serials'), keys.serials.length === 0 ? t('none') : certificates(keys).map(certificate)],
  [t('publicKey'), [h('code', {}, keys.public_key_id), keys.phase === 'on' ? [' ', badge('good', t('signsNow'))] : null].flat().filter(Boolean)],
  [t('schedule'), keys.schedule && t('everyNext', count(keys.schedule.rotate_every_seconds), time(keys.schedule.next_listed))],
]);

export function open(root) {
  const refused = new Part(h('div'), (entries) => requestTable(entries, t('noneRefused')));
  const stocks = new Part(h('div'), stockTable);
  const merchants = new Part(h('div'), merchantTable);
  const keys = new Part(h('div'), keyFacts);
  const clock = clockCard();
  const audit = auditCard();
  const rotate = button(t('rotate'), async () => {
    await attempt(() => post('keys/rotate'), ({ serials }) => t('rotated', serials.at(-1)));
    keys.show(await fresh(() => get('keys')));
  }, { class: 'small', id: 'rotate' });
  root.append(
    h('h1', { class: 'unseen-title' }, t('overview')),
    h('section', { class: 'card', id: 'refused' },
      h('div', { class: 'row' }, h('h2', {}, t('lastRefused')), h('span', { class: 'spacer' }), h('a', { href: '#/requests' }, t('allRequests'))),
      refused.element),
    h('div', { class: 'columns wide' },
      h('div', {}, card(t('stocks'), stocks.element), card(t('merchants'), merchants.element)),
      h('div', {}, clock.element, audit.element, card(t('keys'), keys.element, rotate))));
  let audited = false;
  return {
    title: t('overview'),
    async refresh() {
      const [entries, list, merchantList, now, keyList] =
        await fresh(() => Promise.all([refusedRequests(), get('stocks'), get('merchants'), get('clock'), get('keys')]));
      refused.show(entries);
      stocks.show(list.stocks);
      merchants.show(merchantList.merchants);
      clock.show(now);
      keys.show(keyList);
      // It recounts everything, so it runs once by itself and then when asked.
      if (!audited) {
        audited = true;
        await audit.run();
      }
    },
  };
}
