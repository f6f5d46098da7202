// Notifications to merchants: what was sent, how it was answered, and sending it once more.
import { fresh, get, path, post } from './api.js';
import { Part, badge, button, card, h, table } from './dom.js';
import { micros, time } from './format.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

const SHOWN = 100;
const KINDS = { pending: 'warn', delivered: 'good', given_up: 'bad' };

function deliveries(entry) {
  if (entry.deliveries.length === 0) return h('p', { class: 'dim' }, t('noAttempts'));
  return table([t('attempt'), t('time'), t('result'), t('took'), t('serial'), t('faults')],
    entry.deliveries.map((one) => h('tr', {},
      h('td', { class: 'number' }, one.attempt, one.replay ? [' ', badge('odd', t('isReplay'))] : null),
      h('td', { class: 'when' }, time(one.time)),
      h('td', {}, [one.status, one.error].filter((part) => part !== null && part !== undefined).join(' · ') || '–',
        one.answer ? h('div', { class: 'dim path' }, one.answer) : null),
      h('td', { class: 'nowrap number' }, micros(one.latency_us ?? 0)),
      h('td', { class: 'path' }, h('code', {}, one.serial ?? '–')),
      h('td', {}, (one.faults ?? []).join(', ') || '–'))),
    '', t('attempts'));
}

const subject = (entry) => [entry.coupon_id, entry.stock_id, entry.transaction_id].filter(Boolean).join(' · ');

export function open(root) {
  const refresh = () => page.refresh().catch(() => {});
  const replay = (entry) => button(t('replay'), async () => {
    await attempt(() => post(path`callbacks/${entry.id}/replay`), (now) => {
      const last = now.deliveries?.at(-1);
      return t('replayed', last?.status ?? last?.error ?? '–');
    });
    await refresh();
  }, { class: 'small', 'data-act': 'replay', 'data-key': `replay${entry.id}` });
  const part = new Part(h('div'), (entries) => (entries.length === 0 ? h('p', { class: 'empty' }, t('noCallbacks'))
    : entries.map((entry) => h('article', { class: 'entry', 'data-id': entry.id },
      h('div', { class: 'row' },
        badge(KINDS[entry.state] ?? 'odd', named('state', entry.state)),
        h('b', {}, entry.event_type), h('span', { class: 'dim' }, time(entry.created)),
        h('span', { class: 'spacer' }), replay(entry)),
      h('div', { class: 'path' }, `${entry.mchid} → `, h('code', {}, entry.notify_url)),
      h('div', { class: 'dim path' }, `${entry.notification_id} · ${subject(entry)}`),
      entry.next_attempt ? h('div', { class: 'dim' }, `${t('nextAttempt')}: ${time(entry.next_attempt)}`) : null,
      h('details', { 'data-key': `d${entry.id}`, open: entry.state !== 'delivered' },
        h('summary', { 'data-key': `m${entry.id}` }, `${t('attempts')} (${entry.deliveries.length})`), deliveries(entry))))));
  root.append(h('h1', {}, t('callbacks')), card([], part.element));
  const page = {
    title: t('callbacks'),
    async refresh() {
      try {
        part.show((await fresh(() => get(`callbacks?limit=${SHOWN}`))).callbacks);
      } catch (error) {
        // A mirror that sends none has no list of them.
        if (error.status !== 404) throw error;
        part.show([]);
      }
    },
  };
  return page;
}
