// One card: its fields, its review, QR codes, codes with what their holders can do, and what was pushed about it.
import { fresh, get, path, post, query } from './api.js';
import { Outcome, claim } from './acts.js';
import { cardStatus, stockBar, swatch } from './cards.js';
import { codeStatus, codeTable } from './codes.js';
import { Part, badge, button, card as section, facts, h, table } from './dom.js';
import { eventTable, mentions } from './events.js';
import { count, time, unixTime, yuan } from './format.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

const PAGE = 50;
/** Events looked through for those about this card. */
const EVENTS = 200;

const yesNo = (value) => t(value ? 'yes' : 'no');
const isYes = (value) => value === true || value === 1 || value === 'true';

function validity(date) {
  switch (String(date?.type)) {
    case 'DATE_TYPE_FIX_TIME_RANGE':
    case '1': return t('validRange', unixTime(date.begin_timestamp), unixTime(date.end_timestamp));
    case 'DATE_TYPE_FIX_TERM':
    case '2': {
      const waits = date.fixed_begin_term ?? 0;
      return waits > 0 ? t('validTermLater', date.fixed_term, waits) : t('validTerm', date.fixed_term);
    }
    case 'DATE_TYPE_PERMANENT': return t('validForever');
    default: return null;
  }
}

/** What the card is worth, by its type. */
function offer(body) {
  return [
    body.reduce_cost === undefined ? null : t('offFrom', yuan(body.reduce_cost), yuan(body.least_cost ?? 0)),
    body.discount === undefined ? null : t('offPercent', body.discount),
    body.deal_detail, body.gift, body.default_detail, body.detail,
  ].filter(Boolean).join(' · ');
}

function activation(body) {
  if (body.auto_activate) return t('activation_auto');
  if (body.wx_activate) return t(body.wx_activate_after_submit ? 'activation_page' : 'activation_form');
  return t('activation_own');
}

function fields(card) {
  const { body } = card;
  const base = body.base_info ?? {};
  const member = card.card_type === 'MEMBER_CARD';
  return [
    facts([
      [t('deal'), offer(body)],
      [t('prerogative'), body.prerogative],
      [t('valid'), validity(base.date_info)],
      [t('claimLimit'), base.get_limit],
      [t('useLimit'), base.use_limit],
      [t('giveFriend'), yesNo(base.can_give_friend === undefined || isYes(base.can_give_friend))],
      [t('hasBonus'), member ? yesNo(body.supply_bonus) : null],
      [t('hasBalance'), member ? yesNo(body.supply_balance) : null],
      [t('activation'), member ? activation(body) : null],
      [t('payCell'), card.pay_cell ? yesNo(true) : null],
      [t('brand'), card.brand_name],
      [t('color'), [swatch(card), ' ', card.color, h('span', { class: 'dim' }, ` ${card.color_value ?? ''}`)]],
      [t('notice_'), base.notice],
      [t('details_'), base.description],
    ]),
    h('details', { 'data-key': 'body' }, h('summary', { 'data-key': 'bodys' }, t('asSent')),
      h('pre', { tabindex: '0' }, JSON.stringify({ ...body, ...(Object.keys(card.settings).length > 0 ? { settings: card.settings } : {}) }, null, 2))),
  ];
}

const figures = (card) => facts([
  [t('stockLeft'), [t('leftOf', count(card.quantity), count(card.total_quantity)), stockBar(card)]],
  [t('claimedTimes'), count(card.claimed)],
  [t('redeemedTimes'), count(card.redeemed)],
  [t('codeStates'), Object.entries(card.code_counts).map(([state, number]) => h('div', {}, codeStatus(state), ` ${count(number)}`))],
  [t('cardCodes'), t(`codes_${card.codes}`)],
  [t('testers'), card.test_openids.join(', ')],
  [t('created'), time(card.create_time)],
  [t('updated'), card.update_time === card.create_time ? null : time(card.update_time)],
].filter(([, value]) => !Array.isArray(value) || value.length > 0));

/** The review of a card that waits for it. */
function review({ card_id: id, status, review_due: due, refuse_reason: reason }, refresh) {
  if (status === 'CARD_STATUS_VERIFY_FAIL') return section(t('review'), h('p', {}, badge('bad', '✗'), ' ', t('wasRefused', reason ?? '–')));
  if (status !== 'CARD_STATUS_NOT_VERIFY') return null;
  const answer = async (body, said) => {
    await attempt(() => post(path`card/cards/${id}/review`, body), said);
    await refresh();
  };
  const why = h('input', { name: 'reason', value: t('refuseUsual'), maxlength: '200' });
  return section(t('review'),
    h('p', {}, due ? t('reviewDue', time(due)) : t('reviewWaits')),
    h('div', { class: 'row fields' },
      button(t('pass'), () => answer({}, t('passedNow')), { class: 'main', 'data-act': 'pass' }),
      h('label', {}, h('span', {}, t('refuseReason')), why),
      button(t('refuse'), () => answer({ refused: why.value }, t('refusedNow', why.value)), { class: 'danger', 'data-act': 'refuse' })));
}

/** Who acts; kept while the program runs in this browser window. */
const people = { user: 'oUser1', friend: 'oUser2', staff: 'oStaff1', scene: '', code: '', fee: '8500', due: '10000' };

function peopleCard(outcome, act) {
  const fieldOf = (name, more = {}) => {
    const input = h('input', {
      name, value: people[name], spellcheck: 'false', autocomplete: 'off', ...more,
      oninput: () => { people[name] = input.value.trim(); },
    });
    return h('label', {}, h('span', {}, t(`who_${name}`)), input);
  };
  const code = fieldOf('code');
  const money = [fieldOf('fee', { type: 'number', min: '0' }), fieldOf('due', { type: 'number', min: '0' })];
  const submit = (event) => {
    event.preventDefault();
    return act();
  };
  const element = section(t('people'), h('p', { class: 'dim' }, t('peopleWhy')),
    h('form', { class: 'row fields', id: 'people', onsubmit: submit },
      fieldOf('user'), fieldOf('scene'), code, h('button', { type: 'submit', class: 'main', 'data-act': 'claim' }, t('claim')),
      h('span', { class: 'gap' }), fieldOf('friend'), fieldOf('staff'), money),
    outcome.element);
  return {
    element,
    show(card) {
      code.hidden = card.codes !== 'custom';
      for (const input of money) input.hidden = !card.pay_cell;
    },
  };
}

function tickets(list, scan) {
  const state = (one) => (one.over ? badge('dull', t('qr_over')) : one.used && one.once ? badge('dull', t('qr_used')) : badge('good', t('qr_open')));
  return table([t('ticket'), t('state_of'), t('who_scene'), t('forWhom'), t('until'), t('actions')],
    list.map((one) => h('tr', { 'data-id': one.ticket },
      h('td', { class: 'path' }, h('code', {}, one.ticket)),
      h('td', {}, state(one), one.once ? h('div', { class: 'dim' }, t('qr_once')) : null, one.cards > 1 ? h('div', { class: 'dim' }, t('qr_many', one.cards)) : null),
      h('td', { class: 'holder' }, one.outer_str || '–'),
      h('td', { class: 'holder' }, [one.openid, one.code].filter(Boolean).join(' · ') || '–'),
      h('td', { class: 'when' }, time(one.expires)),
      h('td', {}, button(t('scan'), () => scan(one.ticket), { class: 'small', 'data-act': 'scan', 'data-key': `q${one.ticket}` })))),
    t('noQrcodes'), t('qrcodes'));
}

export function open(root, id) {
  let before = '';
  const refresh = () => page.refresh().catch(() => {});
  const turn = (next) => {
    before = next;
    return refresh();
  };
  const who = () => people;
  const outcome = new Outcome();
  const take = async (how) => {
    const scene = people.scene ? { outer_str: people.scene } : {};
    await claim(outcome, people, { card_id: id, ...scene, ...how });
    before = '';
    await refresh();
  };
  const persons = peopleCard(outcome, () => take(shownCard?.codes === 'custom' && people.code ? { code: people.code } : {}));
  let shownCard;

  const top = new Part(h('div'), (card) => (card === null ? h('p', { class: 'empty' }, t('gone')) : [
    h('div', { class: 'row' }, swatch(card), h('h1', {}, card.title || card.card_id), cardStatus(card.status)),
    h('p', { class: 'summary' }, named('type', card.card_type), ' · ', h('code', {}, card.card_id), ` · ${t('account')} ${card.appid}`),
  ]));
  const judged = new Part(h('div'), (card) => review(card, refresh));
  const about = new Part(h('div', { class: 'columns' }), (card) =>
    [section(t('fields'), fields(card)), section(t('figures'), figures(card))]);
  const codes = new Part(h('div'), ({ card, list, first }) => section(t('codes'),
    codeTable(card, list, { outcome, who, refresh }, first ? t('noCodes') : t('noCodesHere')),
    h('div', { class: 'row' },
      first ? null : button(t('firstPage'), () => turn(''), { 'data-key': 'first' }),
      list.length === PAGE ? button(t('nextPage'), () => turn(list.at(-1).id), { 'data-key': 'next' }) : null)));
  const qrcodes = new Part(h('div'), (list) => section(t('qrcodes'), tickets(list, (ticket) => take({ ticket }))));
  const events = new Part(h('div'), (list) => section(t('events'), h('p', { class: 'dim' }, t('eventsOf', EVENTS)), eventTable(list, refresh)));
  const rest = h('div', { hidden: true }, judged.element, about.element, persons.element, codes.element, qrcodes.element, events.element);
  root.append(top.element, rest);

  const page = {
    title: `${t('card')} ${id}`,
    async refresh() {
      const from = before;
      try {
        const [card, held, told] = await fresh(() => Promise.all([
          get(path`card/cards/${id}`),
          get(`card/codes?${query({ card_id: id, limit: PAGE, before: from })}`),
          get(`card/events?limit=${EVENTS}`),
        ]));
        if (from !== before) return;
        shownCard = card;
        rest.hidden = false;
        top.show({ card_id: card.card_id, title: card.title, status: card.status, card_type: card.card_type, appid: card.appid, color: card.color, color_value: card.color_value });
        judged.show({ card_id: id, status: card.status, review_due: card.review_due, refuse_reason: card.refuse_reason });
        judged.element.hidden = judged.element.childElementCount === 0;
        about.show(card);
        persons.show(card);
        const { body, settings, card_type, pay_cell } = card;
        codes.show({ card: { card_id: id, body, settings, card_type, pay_cell }, list: held.codes, first: from === '' });
        qrcodes.show(card.qrcodes);
        events.show(told.events.filter((event) => mentions(event, id)));
      } catch (error) {
        if (error.status !== 404) throw error;
        rest.hidden = true;
        top.show(null);
      }
    },
  };
  return page;
}
