// Pushed events of accounts, with what became of each.
import { path, post } from './api.js';
import { badge, button, h, table } from './dom.js';
import { time } from './format.js';
import { attempt } from './notice.js';
import { named, t } from './words.js';

const KINDS = { pending: 'warn', delivered: 'good', given_up: 'bad', nowhere: 'dull' };

/** Texts of elements of a message; what is no XML has none. */
function reader(xml) {
  const message = new DOMParser().parseFromString(xml, 'application/xml');
  return (name) => message.getElementsByTagName(name)[0]?.textContent ?? '';
}

/** One element a line; texts stay as they are. */
const lines = (xml) => xml.replaceAll(/>(?=<[^/!])/g, '>\n').replace(/<\/xml>$/, '\n</xml>');

export const mentions = (event, cardId) => reader(event.xml)('CardId') === cardId;

const replay = (event, refresh) => button(t('replay'), async () => {
  await attempt(() => post(path`card/events/${event.id}/replay`), (now) => t('replayed', now.error ?? now.status ?? '–'));
  await refresh();
}, { class: 'small', 'data-act': 'replay', 'data-key': `replay${event.id}` });

const result = (event) => [event.status, event.error, event.faults.join(', ')].filter(Boolean).join(' · ') || '–';

export const eventTable = (events, refresh) =>
  table([t('time'), t('event'), t('user'), t('code'), t('state'), t('tries'), t('result'), t('actions')],
    events.map((event) => {
      const field = reader(event.xml);
      return h('tr', { 'data-id': event.id, 'data-event': event.event },
        h('td', { class: 'when' }, time(event.created)),
        h('td', {}, named('event', event.event),
          h('details', { 'data-key': `x${event.id}` },
            h('summary', { 'data-key': `e${event.id}`, title: t('xml') }, h('code', {}, event.event)), h('pre', {}, lines(event.xml)))),
        h('td', { class: 'holder' }, field('FromUserName') || '–'),
        h('td', { class: 'holder' }, field('UserCardCode') || '–'),
        h('td', {}, badge(KINDS[event.state] ?? 'odd', named('state', event.state))),
        h('td', { class: 'number' }, event.attempts),
        h('td', {}, result(event)),
        h('td', {}, replay(event, refresh)));
    }),
    t('noEvents'), t('events'));
