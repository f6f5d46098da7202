// Codes of a card: who has them, in which state, and what can be done with each.
import { actButtons } from './acts.js';
import { badge, h, table } from './dom.js';
import { count, time, yuan } from './format.js';
import { named, t } from './words.js';

const KINDS = { NORMAL: 'good', CONSUMED: 'odd', GIFTING: 'warn', GIFT_TIMEOUT: 'warn', UNAVAILABLE: 'bad' };

export const codeStatus = (status) => badge(KINDS[status] ?? 'dull', named('codeStatus', status), status);

/** Cards with points and balance. */
export const hasFace = (card) => card.card_type === 'MEMBER_CARD' || card.card_type === 'GENERAL_CARD';

const face = (code) => [
  h('div', { class: 'nowrap' }, t('points', count(code.face.bonus ?? 0)), ' · ', yuan(code.face.balance ?? 0)),
  code.face.membership_number ? h('div', { class: 'dim' }, t('number_', code.face.membership_number)) : null,
  h('div', {}, code.has_active ? badge('good', t('isActive')) : badge('dull', t('isNotActive'))),
];

export const codeTable = (card, codes, doing, empty) =>
  table([t('code'), t('user'), t('status'), hasFace(card) ? t('face') : null, t('received'), t('validUntil'), t('actions')].filter(Boolean),
    codes.map((code) => h('tr', { 'data-id': code.code, 'data-status': code.user_card_status },
      h('td', {}, h('code', { class: 'id' }, code.code), code.custom ? [' ', badge('dull', t('ownCode'))] : null,
        code.outer_str ? h('div', { class: 'dim' }, code.outer_str) : null),
      h('td', { class: 'holder' }, code.openid),
      h('td', {}, codeStatus(code.user_card_status),
        code.gift_due ? h('div', { class: 'dim' }, t('giftDue', time(code.gift_due))) : null),
      hasFace(card) ? h('td', {}, face(code)) : null,
      h('td', { class: 'when' }, code.claim_time ? time(code.claim_time) : h('span', { class: 'dim' }, t('given_'))),
      h('td', { class: 'when' }, code.end_time ? time(code.end_time) : t('noEnd')),
      h('td', {}, actButtons(card, code, doing)))),
    empty, t('codes'));
