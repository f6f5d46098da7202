// Pushed events of accounts, with what became of each.
import { badge, h, table } from './dom.js';
import { time } from './format.js';
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

export const eventTable = (events) =>
  table([t('time'), t('event'), t('user'), t('code'), t('state'), t('tries'), t('result')],
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
        h('td', {}, [event.status, event.error].filter((part) => part !== null && part !== undefined).join(' · ') || '–'));
    }),
    t('noEvents'), t('events'));
