// Official Accounts: their tokens, where events go, how cards are reviewed.
import { post } from './api.js';
import { Part, button, card, h, table } from './dom.js';
import { count } from './format.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

const RIGHTS = ['custom_code', 'bonus', 'balance', 'pay'];
const POLICIES = ['pass', 'fail', 'manual'];
const MODES = ['plain', 'compatible', 'secure'];

const policy = (review, seconds) => t(`review_${review}`, count(seconds));

function reviewSelect(account, refresh) {
  const select = h('select', {
    'aria-label': `${t('reviewPolicy')} ${account.appid}`, 'data-key': `p${account.appid}`, name: 'review',
    onchange: async () => {
      await attempt(() => post('card/accounts', { appid: account.appid, review: select.value }),
        (now) => t('reviewNow', now.appid, policy(now.review, now.review_seconds)));
      await refresh();
    },
  }, POLICIES.map((one) => h('option', { value: one }, policy(one, account.review_seconds))));
  select.value = account.review;
  return select;
}

const rows = (accounts, refresh) =>
  table([t('account'), t('tokensIssued'), t('pushAddress'), t('reviewPolicy'), t('rights'), t('actions')],
    accounts.map((account) => h('tr', { 'data-id': account.appid },
      h('td', {}, h('code', {}, account.appid), h('div', { class: 'dim' }, account.account)),
      h('td', { class: 'nowrap' }, t('plainTokens', count(account.tokens.plain)), h('div', {}, t('stableTokens', count(account.tokens.stable)))),
      h('td', { class: 'path' }, account.url ?? h('span', { class: 'dim' }, t('noAddress')),
        account.url ? h('div', { class: 'dim' }, named('mode', account.mode)) : null),
      h('td', {}, reviewSelect(account, refresh)),
      h('td', {}, RIGHTS.filter((right) => account[right]).map((right) => t(`right_${right}`)).join(', ') || '–'),
      h('td', {}, button(t('makeStale'), async () => {
        await attempt(() => post('card/tokens/stale', { appid: account.appid }), ({ stale }) => t('madeStale', count(stale)));
        await refresh();
      }, { class: 'small', 'data-act': 'stale', 'data-key': `s${account.appid}` })))),
    t('none'), t('accounts'));

/** It stays as it is while the list is refreshed, so that nothing typed is lost. */
function addressForm(refresh) {
  const appid = h('select', { name: 'appid' });
  const url = h('input', { name: 'url', type: 'url', placeholder: `${location.protocol}//127.0.0.1:9000/events`, spellcheck: 'false' });
  const token = h('input', { name: 'token', spellcheck: 'false', autocomplete: 'off' });
  const key = h('input', { name: 'encoding_aes_key', type: 'password', spellcheck: 'false', autocomplete: 'off' });
  const mode = h('select', { name: 'mode' }, MODES.map((one) => h('option', { value: one }, named('mode', one))));
  const label = (text, input) => h('label', {}, h('span', {}, text), input);
  const submit = async (event) => {
    event.preventDefault();
    const change = { appid: appid.value, url: url.value.trim(), mode: mode.value };
    if (token.value.trim()) change.token = token.value.trim();
    if (key.value.trim()) change.encoding_aes_key = key.value.trim();
    await attempt(() => post('card/accounts', change),
      (now) => (now.url ? t('addressKept', now.appid, now.url) : t('addressGone', now.appid)));
    await refresh();
  };
  const element = h('details', { 'data-key': 'address' }, h('summary', {}, t('setAddress')),
    h('form', { class: 'stack', id: 'address', onsubmit: submit, novalidate: true },
      h('p', { class: 'dim' }, t('setAddressWhy')),
      h('div', { class: 'row fields' }, label(t('account'), appid), label(t('pushAddress'), url), label(t('token'), token),
        label(t('pushMode'), mode), label(t('aesKey'), key), h('button', { type: 'submit', class: 'main' }, t('save')))));
  function show(accounts) {
    const known = new Set([...appid.options].map((one) => one.value));
    appid.append(...accounts.filter((one) => !known.has(one.appid)).map((one) => h('option', { value: one.appid }, one.appid)));
  }
  return { element, show };
}

export function accountsCard(refresh) {
  const part = new Part(h('div'), (accounts) => rows(accounts, refresh));
  const form = addressForm(refresh);
  return {
    element: card(t('accounts'), part.element, form.element),
    show(accounts) {
      part.show(accounts);
      form.show(accounts);
    },
  };
}
