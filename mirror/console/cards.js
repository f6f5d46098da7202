// Accounts and cards of the card API, and what was pushed.
import { fresh, get } from './api.js';
import { accountsCard } from './accounts.js';
import { Part, badge, card, h, table } from './dom.js';
import { eventTable } from './events.js';
import { count, time } from './format.js';
import { bar } from './stock.js';
import { named, t } from './words.js';

const EVENTS = 20;
const KINDS = {
  CARD_STATUS_NOT_VERIFY: 'warn', CARD_STATUS_VERIFY_FAIL: 'bad', CARD_STATUS_VERIFY_OK: 'good', CARD_STATUS_DISPATCH: 'good',
};

export const cardStatus = (status) => badge(KINDS[status] ?? 'dull', named('cardStatus', status), status);

/** A spot in the colour of a card. */
export function swatch(one) {
  const element = h('span', { class: 'swatch', role: 'img', 'aria-label': `${t('color')} ${one.color}`, title: `${one.color} ${one.color_value ?? ''}` });
  if (one.color_value) element.style.backgroundColor = one.color_value;
  return element;
}

export function stockBar(one) {
  const gone = Math.max(0, one.total_quantity - one.quantity);
  return bar(gone, 0, one.total_quantity, t('leftOf', count(one.quantity), count(one.total_quantity)));
}

const cardTable = (cards) =>
  table([t('card'), t('status'), t('stockLeft'), t('claimedTimes'), t('redeemedTimes'), t('created')],
    cards.map((one) => h('tr', { 'data-id': one.card_id },
      h('td', { class: 'path' },
        swatch(one), ' ', h('a', { href: `#/cards/${encodeURIComponent(one.card_id)}`, 'data-key': `c${one.card_id}` }, one.title || one.card_id),
        h('div', { class: 'dim' }, [named('type', one.card_type), one.brand_name, one.card_id, one.appid].filter(Boolean).join(' · '))),
      h('td', {}, cardStatus(one.status)),
      h('td', { class: 'nowrap' }, t('leftOf', count(one.quantity), count(one.total_quantity)), h('div', {}, stockBar(one))),
      h('td', { class: 'number' }, count(one.claimed)),
      h('td', { class: 'number' }, count(one.redeemed)),
      h('td', { class: 'when' }, time(one.create_time)))),
    t('noCards'), t('cards'));

export function open(root) {
  const refresh = () => page.refresh().catch(() => {});
  const accounts = accountsCard(refresh);
  const cards = new Part(h('div'), ({ total, cards: list }) => [
    cardTable(list), total > list.length ? h('p', { class: 'dim' }, t('allCards', count(total))) : null]);
  const events = new Part(h('div'), (list) => eventTable(list, refresh));
  root.append(h('h1', {}, t('cards')), card([], cards.element), accounts.element, card(t('events'), events.element));
  const page = {
    title: t('cards'),
    async refresh() {
      const [list, who, told] = await fresh(() =>
        Promise.all([get('card/cards'), get('card/accounts'), get(`card/events?limit=${EVENTS}`)]));
      cards.show(list);
      accounts.show(who.accounts);
      events.show(told.events);
    },
  };
  return page;
}
