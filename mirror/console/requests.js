// The request log, newest first.
import { get, query } from './api.js';
import { Part, badge, card, h, table } from './dom.js';
import { micros, time } from './format.js';
import { named, t, words } from './words.js';

const SHOWN = 200;
const VERDICTS = ['accepted', 'refused', 'unauthenticated', 'faulted', 'failed', 'abandoned'];
const KINDS = { accepted: 'good', refused: 'warn', unauthenticated: 'bad', faulted: 'odd', failed: 'bad', abandoned: 'odd' };

export const verdictBadge = (verdict) => badge(KINDS[verdict] ?? 'odd', named('verdict', verdict));

/** Why a request was refused, in a few words. */
export function cause(entry) {
  if (entry.signature) return words(entry.signature.cause).what;
  if (entry.faults.length > 0) return entry.faults.join(', ');
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
        h('td', {}, verdictBadge(entry.verdict)),
        h('td', { class: 'nowrap' }, [entry.status, entry.code].filter(Boolean).join(' ') || '–'),
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
    VERDICTS.map((one) => h('option', { value: one }, named('verdict', one))));
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
