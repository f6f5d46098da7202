// Planned faults: what will go wrong, and planning more of it.
import { fresh, get, path, post, remove } from './api.js';
import { Part, button, card, h, table } from './dom.js';
import { count } from './format.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

/** The fields of each kind, besides those all have: name, type or what can be chosen, first value. */
const KINDS = {
  status: [['status', 'number', '500'], ['code', 'text', 'SYSTEM_ERROR']],
  rate_limited: [['retry_after', 'number', '']],
  errcode: [['errcode', 'number', '45009'], ['message', 'text', '']],
  delay: [['delay_ms', 'number', '2000']],
  cut: [],
  reset: [],
  hang: [],
  slow: [['bytes_per_second', 'number', '100']],
  truncated_body: [],
  cut_after: [['bytes', 'number', '10']],
  oversized_body: [['bytes', 'number', '16777216']],
  corrupt_body: [],
  corrupt_signature: [],
  missing_signature: [],
  wrong_serial: [],
  probe: [],
  html_error: [],
  not_json: [],
  redirect: [['status', 'number', '302'], ['location', 'text', '/elsewhere']],
  wrong_hash: [],
  link_to: [['url', 'text', '']],
  expired_link: [],
  gzip: [['hash', ['unpacked', 'packed'], 'unpacked']],
  duplicate: [['copies', 'number', '2']],
  hold: [['seconds', 'number', '60']],
};
/** Where the mirror is the one who sends: notifications, and pushed events of the card API. */
const NOTIFY = 'callback.notify';
const PUSH = 'card.event';
/** Calls whose answers link to a flow file. */
const FLOWS = ['stock.use_flow', 'stock.refund_flow', 'stock.use_flow_by_day', 'stock.refund_flow_by_day'];
/** Some calls of the card API; any other can be typed. */
const CARD_CALLS = [
  'card.*', 'card.token', 'card.stable_token', 'card.ticket', 'card.create', 'card.code_get', 'card.code_consume',
];
/** The operations that alone some kinds are about; the first is proposed. */
const ONLY = {
  errcode: CARD_CALLS,
  duplicate: [NOTIFY, PUSH],
  hold: [NOTIFY, PUSH],
  wrong_hash: FLOWS,
  link_to: FLOWS,
  expired_link: [...FLOWS, 'stock.flow_file'],
  gzip: [...FLOWS, 'stock.flow_file'],
};
const PLACES = ['after_commit', 'before_commit', 'before_verify', 'after_answer', ''];
const OPERATIONS = [
  '*', 'coupon.*', 'coupon.send', 'coupon.get', 'coupon.list', 'stock.*', 'stock.create', 'stock.start', 'stock.pause',
  'stock.restart', 'stock.stop', 'stock.get', 'stock.list', ...FLOWS, 'stock.flow_file', 'certificates.list', 'callback.set',
  NOTIFY, 'image.upload', PUSH, ...CARD_CALLS,
];
const OWN_COLUMN = new Set(['id', 'kind', 'operation', 'place', 'count', 'struck', 'seen']);

export function open(root) {
  const refresh = () => page.refresh().catch(() => {});
  const part = new Part(h('div'), (faults) => table(
    [t('kind'), t('operation'), t('place'), t('howOften'), t('struck'), t('otherFields'), t('actions')],
    faults.map((fault) => h('tr', { 'data-id': fault.id },
      h('td', {}, h('code', {}, fault.kind)),
      h('td', {}, fault.operation ?? '*'),
      h('td', {}, fault.place ? named('place', fault.place) : '–'),
      h('td', { class: 'number' }, fault.count ?? '–'),
      h('td', { class: 'number' }, count(fault.struck ?? 0)),
      h('td', { class: 'path' }, Object.entries(fault).filter(([name, value]) => !OWN_COLUMN.has(name) && value !== null && !(name === 'every' && value === 1))
        .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ') || '–'),
      h('td', {}, button(t('take'), async () => {
        await attempt(() => remove(path`faults/${fault.id}`), t('tookBack'));
        await refresh();
      }, { class: 'small', 'data-key': `take${fault.id}` })))),
    t('noFaults'), t('faults')));

  const kind = h('select', { name: 'kind', onchange: () => chosen() },
    Object.keys(KINDS).map((one) => h('option', { value: one }, `${named('kind', one)} (${one})`)));
  const operation = h('input', { name: 'operation', list: 'operations', value: 'coupon.send', spellcheck: 'false' });
  const place = h('select', { name: 'place' }, PLACES.map((one) => h('option', { value: one }, named('place', one))));
  const times = h('input', { name: 'count', type: 'number', min: '0', value: '1' });
  const probability = h('input', { name: 'probability', type: 'number', min: '0', max: '1', step: 'any', placeholder: '0.05' });
  const openid = h('input', { name: 'openid', spellcheck: 'false' });
  const label = (text, input) => h('label', {}, h('span', {}, text), input);
  const own = h('div', { class: 'row fields' });
  const drawFields = () => own.replaceChildren(...KINDS[kind.value].map(([name, type, first]) =>
    label(t(`f_${name}`), Array.isArray(type)
      ? h('select', { name }, type.map((one) => h('option', { value: one }, named(name, one))))
      : h('input', { name, type, value: first, min: type === 'number' ? '0' : undefined }))));
  function chosen() {
    drawFields();
    const only = ONLY[kind.value];
    if (!only) return;
    if (!only.includes(operation.value)) [operation.value] = only;
    place.value = '';
  }
  drawFields();
  const submit = async (event) => {
    event.preventDefault();
    const rule = { kind: kind.value, operation: operation.value.trim() || '*', count: Number(times.value) };
    if (place.value) rule.place = place.value;
    if (probability.value) rule.probability = Number(probability.value);
    if (openid.value.trim()) rule.openid = openid.value.trim();
    for (const input of own.querySelectorAll('input, select')) {
      if (input.value !== '') rule[input.name] = input.type === 'number' ? Number(input.value) : input.value;
    }
    if (await attempt(() => post('faults', rule), t('planned'))) await refresh();
  };
  // The mirror says what cannot be; a browser would not let -1 through.
  const form = h('form', { class: 'stack', id: 'fault', novalidate: '', onsubmit: submit },
    h('datalist', { id: 'operations' }, OPERATIONS.map((one) => h('option', { value: one }))),
    h('div', { class: 'row fields' }, label(t('kind'), kind), label(t('operation'), operation), label(t('place'), place),
      label(t('howOften'), times), label(t('f_probability'), probability), label(t('f_openid'), openid)),
    own,
    h('div', { class: 'row' }, h('button', { type: 'submit', class: 'main' }, t('add'))));
  root.append(
    h('div', { class: 'row' }, h('h1', {}, t('faults')), h('span', { class: 'spacer' }),
      button(t('clear'), async () => {
        await attempt(() => remove('faults'), t('cleared'));
        await refresh();
      }, { id: 'clear' })),
    card([], part.element),
    card(t('addFault'), form));
  const page = {
    title: t('faults'),
    async refresh() {
      part.show((await fresh(() => get('faults'))).faults);
    },
  };
  return page;
}
