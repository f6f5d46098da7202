// One stock: budget, rules, coupons, and its life cycle.
import { fresh, get, path, post, query } from './api.js';
import { Part, badge, button, card, facts, h } from './dom.js';
import { clockTime, count, thousandths, time, yuan } from './format.js';
import { couponTable } from './coupons.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

const PAGE = 50;
const KINDS = { running: 'good', unactivated: 'dull', audit: 'dull', paused: 'warn', stoped: 'dull' };

export const statusBadge = (status) => badge(KINDS[status] ?? 'dull', named('status', status), status);

/** A bar with what was given and, within it, what was used. */
export function bar(given, used, whole, label) {
  const part = (name, amount) => {
    const element = h('span', { class: name });
    element.style.width = `calc(${thousandths(amount, whole)} * 0.1%)`;
    return element;
  };
  return h('span', { class: 'meter', role: 'img', 'aria-label': label, title: label }, part('given', given), part('used', used));
}

export const budgetBar = (stock) =>
  bar(stock.distributed, stock.used, stock.max_coupons,
    `${t('given')} ${count(stock.distributed)}, ${t('used')} ${count(stock.used)} / ${count(stock.max_coupons)}`);

export const off = (stock) => t('offFrom', yuan(stock.coupon_amount), yuan(stock.transaction_minimum));

function buttons(stock, refresh) {
  const act = (verb, properties = {}) => button(t(verb), async () => {
    await attempt(() => post(path`stocks/${stock.stock_id}/` + verb), (now) => t('stockNow', named('status', now.status)));
    await refresh();
  }, { 'data-key': verb, 'data-act': verb, ...properties });
  const review = (text, underReview) => button(text, async () => {
    const body = { under_review: underReview };
    await attempt(() => post(path`stocks/${stock.stock_id}/review`, body), (now) => t('stockNow', named('status', now.status)));
    await refresh();
  }, { 'data-key': 'review', 'data-act': 'review' });
  if (stock.status === 'unactivated') {
    // What cannot be undone is asked for twice.
    const sure = act('stop', { class: 'danger', hidden: true });
    sure.textContent = t('stopAgain');
    const ask = button(t('stop'), async () => {
      ask.hidden = true;
      sure.hidden = false;
      sure.focus();
    });
    return [act('start'), review(t('reviewStock'), true), ask, sure];
  }
  if (stock.status === 'audit') return [review(t('endReview'), false)];
  if (stock.status === 'running') return [act('pause')];
  return stock.status === 'paused' ? [act('restart')] : [];
}

const yesNo = (value) => t(value ? 'yes' : 'no');

function rules(stock) {
  const days = t('days').split(',');
  return facts([
    [t('faceValue'), off(stock)],
    [t('window'), `${time(stock.available_begin_time)} – ${time(stock.available_end_time)}`],
    [t('funding'), t(stock.no_cash ? 'noCash' : 'prefunded')],
    [t('perUser'), count(stock.max_coupons_per_user)],
    [t('naturalPerson'), yesNo(stock.natural_person_limit)],
    [t('preventAbuse'), yesNo(stock.prevent_api_abuse)],
    [t('combine'), yesNo(stock.combine_use)],
    [t('validity'), [stock.second_day_available ? t('secondDay') : null,
      stock.minutes_after_receive === null ? null : t('minutes', count(stock.minutes_after_receive))].filter(Boolean).join(', ')],
    [t('weekDays'), stock.week_days.map((day) => days[day] ?? day).join(', ')],
    [t('hours'), stock.day_seconds && stock.day_seconds.map(clockTime).join(' – ')],
    [t('goodsTag'), stock.goods_tag.join(', ')],
    [t('tradeType'), stock.trade_type.join(', ')],
    [t('shops'), stock.available_merchants.join(', ')],
    [t('goods'), stock.available_items.join(', ')],
    [t('senders'), stock.senders.join(', ')],
    [t('description'), stock.description],
    [t('created'), time(stock.create_time)],
    [t('started'), stock.start_time && time(stock.start_time)],
    [t('paused'), stock.pause_time && time(stock.pause_time)],
    [t('restarted'), stock.restart_time && time(stock.restart_time)],
    [t('stopped'), stock.stop_time && time(stock.stop_time)],
  ]);
}

function budget(stock) {
  const day = stock.today;
  return facts([
    [t('coupons'), [t('couponsOf', count(stock.distributed), count(stock.max_coupons)), budgetBar(stock)]],
    [t('budget'), t('ofBudget', yuan(stock.given_amount), yuan(stock.max_amount))],
    [t('today'), day && (day.max_amount > 0
      ? [t('ofBudget', yuan(day.given_amount), yuan(day.max_amount)), bar(day.given_amount, 0, day.max_amount, t('today'))]
      : t('noDayLimit', yuan(day.given_amount)))],
    [t('used'), count(stock.used)],
    [t('expired'), count(stock.expired)],
    [t('recovered'), stock.recovered > 0 ? count(stock.recovered) : null],
    [t('refunded'), count(stock.refunded)],
    [t('locked'), stock.locked_amount === null ? null : yuan(stock.locked_amount)],
    [t('spent'), stock.spent_amount === null ? null : yuan(stock.spent_amount)],
    [t('released'), stock.released_time && time(stock.released_time)],
  ]);
}

export function open(root, id) {
  let after = '0';
  const refresh = () => page.refresh().catch(() => {});
  const turn = (next) => {
    after = next;
    return refresh();
  };
  const top = new Part(h('div'), (stock) => (stock === null ? h('p', { class: 'empty' }, t('gone')) : [
    h('div', { class: 'row' },
      h('h1', {}, stock.name), statusBadge(stock.status), h('span', { class: 'spacer' }), buttons(stock, refresh)),
    h('p', { class: 'summary' }, h('code', {}, stock.stock_id), ` · ${t('creator')} ${stock.creator_mchid}`),
    h('div', { class: 'columns' }, card(t('budget'), budget(stock)), card(t('rules'), rules(stock))),
  ]));
  const list = new Part(h('div'), ({ coupons, first }) => card(t('coupons'),
    couponTable(coupons, refresh),
    h('div', { class: 'row' },
      first ? null : button(t('firstPage'), () => turn('0'), { 'data-key': 'first' }),
      coupons.length === PAGE ? button(t('nextPage'), () => turn(coupons.at(-1).coupon_id), { 'data-key': 'next' }) : null)));
  root.append(top.element, list.element);
  const page = {
    title: `${t('stock')} ${id}`,
    async refresh() {
      const from = after;
      try {
        const [stock, { coupons }] = await fresh(() => Promise.all([
          get(path`stocks/${id}`),
          get(path`stocks/${id}/coupons?` + query({ limit: PAGE, after: from })),
        ]));
        if (from !== after) return;
        top.show(stock);
        list.show({ coupons, first: from === '0' });
      } catch (error) {
        if (error.status !== 404) throw error;
        top.show(null);
      }
    },
  };
  return page;
}
