// Coupons of a stock, with what can be done to each.
import { path, post } from './api.js';
import { badge, button, h, table } from './dom.js';
import { time, yuan } from './format.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

const KINDS = { SENDED: 'good', USED: 'odd', EXPIRED: 'dull', RECOVER: 'warn' };

function paid(coupon) {
  const rows = coupon.redemptions.map((payment) => {
    const back = payment.refunds.map((refund) => ` ↩ ${yuan(refund.amount)}`).join('');
    return h('div', { class: 'nowrap' }, `${yuan(payment.total_amount)} − ${yuan(payment.discount_amount)}${back}`,
      h('span', { class: 'dim' }, ` @ ${payment.consume_mchid}`));
  });
  return rows.length > 0 ? rows : '–';
}

function acts(coupon, refresh) {
  const act = (verb, text, done) => button(text, async () => {
    await attempt(() => post(path`coupons/${coupon.coupon_id}/` + verb), done);
    await refresh();
  }, { class: 'small', 'data-key': `${verb}${coupon.coupon_id}`, 'data-act': verb });
  const id = coupon.coupon_id;
  if (coupon.status === 'SENDED') {
    return [act('redeem', t('redeem'), t('redeemed', id)), act('expire', t('expire'), t('expiredNow', id)),
      act('recover', t('recover'), t('recoveredNow', id))];
  }
  return coupon.status === 'USED' ? [act('refund', t('refund'), t('refundedNow', id))] : [];
}

export const couponTable = (coupons, refresh) =>
  table([t('coupon'), t('user'), t('status'), t('received'), t('validUntil'), t('payment'), t('actions')],
    coupons.map((coupon) => h('tr', { 'data-id': coupon.coupon_id },
      h('td', {}, h('code', { class: 'id' }, coupon.coupon_id), h('div', { class: 'dim' }, coupon.out_request_no)),
      h('td', { class: 'path' }, coupon.openid, h('div', { class: 'dim' }, coupon.appid)),
      h('td', {}, badge(KINDS[coupon.status] ?? 'dull', named('status', coupon.status), coupon.status)),
      h('td', { class: 'when' }, time(coupon.create_time)),
      h('td', { class: 'when' }, time(coupon.available_end_time)),
      h('td', {}, paid(coupon)),
      h('td', { class: 'nowrap' }, acts(coupon, refresh)))),
    t('noCoupons'), t('coupons'));
