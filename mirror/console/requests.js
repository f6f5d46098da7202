// The request log, newest first.
import { get, query } from './api.js';
import { Part, badge, card, h, table } from './dom.js';
import { micros, time } from './format.js';
import { named, t, words } from './words.js';

const SHOWN = 200;
const VERDICTS = ['accepted', 'refused', 'unauthenticated', 'faulted', 'failed', 'abandoned'];
const KINDS = { accepted: 'good', refused: 'warn', unauthenticated: 'bad', faulted: 'odd', failed: 'bad', abandoned: 'odd' };

/** Whether it came to the card API, which says everything with HTTP 200 and an errcode. */
export const isCardCall = (entry) => [entry.operation, entry.rule?.id].some((name) => name?.startsWith('card.'));

/** Callers of the card API have a token, not a signature. */
export const verdictBadge = (entry) => badge(KINDS[entry.verdict] ?? 'odd',
  named('verdict', isCardCall(entry) && entry.verdict === 'unauthenticated' ? 'token' : entry.verdict));

/** HTTP status and code of the answer. */
export const answerCode = (entry) => (isCardCall(entry) && entry.code && entry.status === 200
  ? t('errcode', entry.code) : [entry.status, entry.code].filter(Boolean).join(' '));

/** What is wrong with an access token, and what to do: by the rule of the card API. */
export const TOKENS = {
  'card.credential': { cause: 'tokenStale', advice: 'newToken' },
  'card.expired': { cause: 'tokenExpired', advice: 'newToken' },
  'card.token': { cause: 'tokenUnknown', advice: 'sameToken' },
  'card.no_token': { cause: 'tokenMissing', advice: 'addToken' },
};

/** Why a request was refused, in a few words. */
export function cause(entry) {
  if (entry.signature) return words(entry.signature.cause).what;
  if (entry.faults.length > 0) return entry.faults.join(', ');
  if (TOKENS[entry.rule?.id]) return t(TOKENS[entry.rule.id].cause);
  return entry.rule ? t('broken', entry.rule.explanation) : '';
}

/** Rows of requests; the whole row leads to the request. */
export const requestTable = (entries, empty) =>
  table([t('time'), t('request'), t('verdict'), t('answer'), t('cause'), t('took')],
    entries.map((entry) =>
      h('tr', { class: KINDS[entry.verdict] === 'good' ? '' : 'failed', 'data-id': entry.id },
        h('td', { class: 'nowrap' }, time(entry.time).slice(11)),
        h('td', { class: 'path target' },
          h('a', { href: `#/requests/${entry.id}`, 'data-key': `r${entry.id}` }, h('b', {}, entry.method), ' ', entry.path),
          h('div', { class: 'dim' }, [entry.operation, entry.mchid].filter(Boolean).join(' · '))),
        h('td', {}, verdictBadge(entry)),
        h('td', { class: 'nowrap' }, answerCode(entry) || '–'),
        h('td', { class: 'cause' }, cause(entry)),
        h('td', { class: 'nowrap number' }, micros(entry.latency_us)))),
    empty, t('requests'));

let filter = { verdict: '', operation: '', mchid: '', q: '' };

export function open(root) {
  let live = true;
  let seen;
  const field = (name, label, input) => h('label', {}, h('span', {}, label), Object.assign(input, { value: filter[name], name }));
  const changed = (event) => {
    filter = { ...filter, [event.target.name]: event.target.value.trim() };
    page.refresh(true).catch(() => {});
  };
  const verdict = h('select', {}, h('option', { value: '' }, t('anyVerdict')),
    VERDICTS.map((one) => h('option', { value: one },
      one === 'unauthenticated' ? `${named('verdict', one)}, ${t('verdict_token')}` : named('verdict', one))));
  const form = h('form', { class: 'filter', role: 'search', oninput: changed, onsubmit: (event) => event.preventDefault() },
    field('verdict', t('verdict'), verdict),
    field('q', t('search'), h('input', { type: 'search', placeholder: t('searchHint') })),
    field('operation', t('operation'), h('input', { placeholder: 'coupon.*', spellcheck: 'false' })),
    field('mchid', t('merchant'), h('input', { inputmode: 'numeric', spellcheck: 'false' })));
  const box = h('input', { type: 'checkbox', checked: true, onchange: () => { live = box.checked; } });
  const list = h('div');
  root.append(
    h('h1', {}, t('requests')),
    card([], h('div', { class: 'row' }, form, h('label', { class: 'check' }, box, t('live'))), list));
  const narrowed = () => Object.values(filter).some(Boolean);
  const part = new Part(list, ({ entries }) =>
    requestTable(entries, narrowed() ? t('noRequests') : t('noRequestsYet', location.origin)));
  const page = {
    title: t('requests'),
    async refresh(now = false) {
      if (!live && !now) return;
      const asked = query(filter);
      // One entry tells whether there is anything new.
      const [newest] = (await get(`requests?${query({ limit: 1, ...filter })}`)).requests;
      const state = `${asked} ${newest?.id}`;
      if (state === seen || asked !== query(filter)) return;
      const { requests } = await get(`requests?${query({ limit: SHOWN, ...filter })}`);
      if (asked !== query(filter)) return;
      seen = state;
      part.show({ entries: requests });
    },
  };
  return page;
}
