// What users and staff do with cards, each a control call, and how it went.
import { post } from './api.js';
import { badge, button, h } from './dom.js';
import { notice } from './notice.js';
import { t } from './words.js';

/** The call of each act, and what goes into it beside the code. */
const ACTS = {
  redeem: ['redeem', (who) => (who.staff ? { source: 'FROM_MOBILE_HELPER', staff_openid: who.staff } : { source: 'FROM_MP' })],
  gift: ['gift', (who) => ({ openid: who.friend })],
  accept: ['accept', (who) => ({ openid: who.friend })],
  reopen: ['reopen', () => ({})],
  view: ['view', () => ({})],
  enter: ['enter-session', () => ({})],
  form: ['submit-form', (who, card) => filled(card.settings.form?.required_form ?? {}, who)],
  pay: ['pay', (who) => ({ fee: Number(who.fee), original_fee: Number(who.due) })],
  remove: ['remove', () => ({})],
  restore: ['restore', () => ({})],
};

/** All that a form asks for; every field holds the user's openid, every choice its first value. */
function filled(form, who) {
  const written = (name) => ({ name, value: who.user });
  const chosen = ({ type, name, values }) => (
    type === 'FORM_FIELD_CHECK_BOX' ? { name, value_list: values.slice(0, 1) } : { name, value: values[0] }
  );
  const common = form.common_field_id_list ?? ['USER_FORM_INFO_FLAG_NAME'];
  return {
    common_field_list: common.map(written),
    custom_field_list: [...(form.custom_field_list ?? []).map(written), ...(form.rich_field_list ?? []).map(chosen)],
  };
}

const isMember = (card) => card.card_type === 'MEMBER_CARD';
const keepsCode = (card) => isMember(card) || card.card_type === 'GENERAL_CARD';

/** What makes sense for a code as it is; the rest can be tried too, to see how it is refused. */
function sensible(card, code) {
  const may = card.body.base_info?.can_give_friend;
  switch (code.user_card_status) {
    case 'NORMAL':
      return [
        keepsCode(card) ? null : 'redeem',
        may === false || may === 0 ? null : 'gift',
        isMember(card) && card.body.wx_activate ? 'form' : null,
        card.pay_cell ? 'pay' : null,
        'view', 'remove',
      ].filter(Boolean);
    case 'GIFTING': return ['accept'];
    case 'GIFT_TIMEOUT': return ['reopen'];
    case 'DELETE': return isMember(card) ? ['restore'] : [];
    case 'CONSUMED':
    case 'EXPIRE': return ['remove'];
    default: return [];
  }
}

/** Where the outcome of the last act stands until the next one. */
export class Outcome {
  constructor() {
    this.element = h('p', { class: 'outcome', id: 'outcome', 'aria-live': 'polite', hidden: true });
  }

  show(parts, kind, text) {
    this.element.hidden = false;
    this.element.replaceChildren(...parts);
    notice(text, kind);
  }

  good(text) {
    this.show([badge('good', '✓'), ' ', h('span', {}, text)], 'good', text);
  }

  /** A refusal of the card API names errcode, errmsg and rule; other errors are shown as they are. */
  bad(error) {
    const text = error.message || t('unreachable');
    const match = /^refused: errcode (-?\d+): (.*); the rule is: (.*)$/.exec(text);
    const parts = match
      ? [badge('bad', t('errcode', match[1])), ' ', h('b', {}, match[2]), ' — ', h('span', {}, t('broken', match[3]))]
      : [badge('bad', t('lastRefusal')), ' ', h('span', {}, text)];
    this.show(parts, 'bad', match ? `${t('errcode', match[1])}: ${match[2]}` : text);
  }

  /** Does it and shows how it went. */
  async of(work, said) {
    try {
      this.good(said(await work()));
    } catch (error) {
      this.bad(error);
    }
  }
}

const did = (name, who) => (code) => t(`did_${name}`, code.code, code.openid, who.friend);

/** A user takes the card, from a QR code or from a page. */
export const claim = (outcome, who, how) =>
  outcome.of(() => post('card/claim', { openid: who.user, ...how }), did('claim', who));

/** The buttons of a code: those that make sense, and all others folded away. */
export function actButtons(card, code, { outcome, who, refresh }) {
  const act = (name) => button(t(`act_${name}`), async () => {
    const [path, more] = ACTS[name];
    const body = { code: code.code, card_id: card.card_id, ...more(who(), card) };
    await outcome.of(() => post(`card/${path}`, body), did(name, who()));
    await refresh();
  }, { class: 'small', 'data-act': name, 'data-key': `${name}${code.id}` });
  const first = sensible(card, code);
  const others = Object.keys(ACTS).filter((name) => !first.includes(name));
  return [
    h('div', { class: 'row acts' }, first.map(act),
      h('details', { 'data-key': `o${code.id}` }, h('summary', { 'data-key': `os${code.id}` }, t('others')),
        h('div', { class: 'row acts' }, others.map(act)))),
  ];
}
