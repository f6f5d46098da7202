// One request: what went wrong first, then what to do, then the two messages, then everything else.
import { get, path } from './api.js';
import { Part, badge, button, card, facts, h } from './dom.js';
import { compare, message, visible } from './diff.js';
import { count, micros, time } from './format.js';
import { attempt } from './notice.js';
import { TOKENS, answerCode, cause, isCardCall, verdictBadge } from './requests.js';
import { t, words } from './words.js';

export const provenanceBadge = (provenance) =>
  badge(`from-${provenance}`, t(provenance), t(`${provenance}Why`));

function doctor(signature) {
  const causeWords = words(signature.cause);
  const also = signature.also.map((one) => h('li', {}, h('b', {}, words(one).what), ' — ', words(one).advice));
  const explained = h('section', { class: 'card doctor', id: 'doctor', 'data-cause': signature.cause.code },
    h('h2', {}, t('whatWentWrong')),
    h('p', { class: 'what', id: 'cause' }, causeWords.what),
    h('h3', {}, t('whatNext')),
    h('p', { class: 'advice' }, causeWords.advice),
    also.length > 0 ? [h('h3', {}, t('alsoWrong')), h('ul', {}, also)] : null,
    h('p', { class: 'dim' }, h('code', {}, signature.cause.code)));
  const sides = compare(signature);
  const both = signature.client_message !== null;
  const same = both && signature.difference.length === 0;
  const hint = same ? t('identical') : both ? t('legend') : t('unknownClient');
  const messages = sides && card(both ? t('messages') : t('messageAlone'), h('p', { class: 'dim' }, hint), sides);
  const header = signature.header;
  const mono = (text) => (text ? h('code', {}, visible(text, true)) : null);
  const sheet = header && card(t('header'), facts([
    ['mchid', mono(header.mchid)],
    ['serial_no', mono(header.serial_no)],
    ['nonce_str', mono(header.nonce_str)],
    ['timestamp', [mono(header.timestamp), header.time ? ` ${time(header.time)}` : '']],
    [t('apart'), signature.seconds_apart === null ? null : t('seconds', signature.seconds_apart > 0 ? `+${signature.seconds_apart}` : signature.seconds_apart)],
    ['signature', mono(header.signature)],
    [t('keyOf'), signature.key_of],
    [`${t('digests')}, ${t('serverDigest')}`, mono(signature.server_digest)],
    [`${t('digests')}, ${t('clientDigest')}`, mono(signature.client_digest)],
  ]));
  return [explained, messages, sheet];
}

function ruleCard(entry) {
  const rule = entry.rule;
  if (!rule) return null;
  return card(t('rule'), facts([
    [t('rule'), h('code', {}, rule.id)],
    [t('provenance'), [provenanceBadge(rule.provenance), ' ', t('section'), ' ', rule.section]],
    [t('message'), h('span', { lang: 'zh-CN' }, rule.message)],
    [t('answer'), isCardCall(entry) ? t('errcode', rule.code) : `${rule.status} ${rule.code}`],
    [t('ruleText'), rule.explanation],
  ]));
}

/** JSON indented for reading, where that changes nothing else; all other text as it came. */
function pretty(text, cut) {
  if (cut) return text;
  try {
    const value = JSON.parse(text);
    return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

/** The message of an error answer. */
function answered(entry) {
  try {
    const body = JSON.parse(entry.sent.body);
    return body.message ?? body.errmsg?.replace(/ hint: \[\w+\]$/, '');
  } catch {
    return undefined;
  }
}

/** Calls whose answers hold a token or a ticket; of the first, the request holds the secret of the account. */
const KEPT_OUT = ['card.stable_token', 'card.token', 'card.ticket'];

function wire(title, copy, text, more, hidden) {
  const list = h('table', { class: 'headers' }, h('tbody', {},
    copy.headers.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value)))));
  const size = copy.cut ? h('span', { class: 'dim' }, t('cut', count(new TextEncoder().encode(copy.body).length), count(copy.body_bytes))) : null;
  const copyButton = copy.body && button(t('copy'), () => attempt(() => navigator.clipboard.writeText(copy.body), t('copied')), { class: 'small' });
  return card(title, more ?? null,
    h('h3', {}, t('headers')), h('div', { class: 'scroll' }, list),
    h('h3', {}, t('body'), ' ', size, ' ', copyButton),
    copy.body ? h('pre', { class: 'body', tabindex: '0' }, text) : h('p', { class: 'empty' }, t(hidden ? 'hiddenBody' : 'emptyBody')));
}

function build(entry) {
  const said = new Set([entry.rule?.explanation, cause(entry)]);
  for (const one of entry.signature ? [entry.signature.cause, ...entry.signature.also] : []) said.add(one.en.what);
  const token = TOKENS[entry.rule?.id];
  // The rule stands in a box of its own, with its source.
  const isRule = (note) => entry.rule && note.startsWith(`${entry.rule.explanation} (`);
  const notes = entry.notes.filter((note) => !said.has(note) && !isRule(note))
    .map((note) => (entry.rule ? note.split(`; ${entry.rule.explanation} (`)[0] : note));
  const refused = !entry.signature && entry.verdict !== 'accepted' && cause(entry);
  const headline = refused && (token ? refused : answered(entry) ?? entry.rule?.message ?? refused);
  return [
    h('h1', { class: 'request' }, h('b', {}, entry.method), ' ', h('span', { class: 'path' }, entry.path)),
    h('p', { class: 'summary' }, verdictBadge(entry), ' ',
      answerCode(entry) || t('noAnswer'), ' · ', time(entry.time, true), ' · ', micros(entry.latency_us),
      entry.operation ? [' · ', h('code', {}, entry.operation)] : null, entry.mchid ? ` · ${t('merchant')} ${entry.mchid}` : null,
      ` · #${entry.id}`),
    refused ? h('section', { class: 'card doctor' }, h('h2', {}, t('whatWentWrong')), h('p', { class: 'what', id: 'cause' }, headline),
      headline === refused ? null : h('p', { class: 'advice' }, refused),
      notes.map((note) => h('p', {}, note)),
      token ? [h('h3', {}, t('whatNext')), h('p', { class: 'advice' }, t(token.advice))] : null) : null,
    entry.signature ? doctor(entry.signature) : null,
    ruleCard(entry),
    entry.faults.length > 0 ? card(t('faults'), h('ul', {}, entry.faults.map((fault) => h('li', {}, h('code', {}, fault))))) : null,
    notes.length > 0 && !refused ? card(t('notes'), h('ul', {}, notes.map((note) => h('li', {}, note)))) : null,
    h('div', { class: 'columns' },
      // What was signed is these very bytes, so they are shown as they came.
      wire(t('request'), entry.received, visible(entry.received.body), null, entry.operation === KEPT_OUT[0]),
      entry.sent.headers.length > 0
        ? wire(t('answerSent'), entry.sent, pretty(entry.sent.body, entry.sent.cut), entry.signed_with
          ? h('p', { class: 'dim' }, t('signedWith'), ' ', h('code', {}, entry.signed_with))
          : isCardCall(entry) ? null : h('p', { class: 'dim' }, t('unsigned')), KEPT_OUT.includes(entry.operation))
        : card(t('answerSent'), h('p', { class: 'empty' }, t('noAnswer')))),
    entry.canonical && !entry.signature ? card(t('canonical'), message(entry.canonical)) : null,
  ];
}

export function open(root, id) {
  const part = new Part(root, (entry) => (entry === null ? h('p', { class: 'empty' }, t('gone')) : build(entry)));
  let found = false;
  return {
    title: `${t('request')} ${id}`,
    async refresh() {
      // An entry never changes.
      if (found) return;
      try {
        part.show(await get(path`requests/${id}`));
        found = true;
      } catch (error) {
        if (error.status !== 404) throw error;
        part.show(null);
      }
    },
  };
}
