// Two messages side by side, with invisible characters made visible and the difference marked.
import { h } from './dom.js';
import { t } from './words.js';

const VISIBLE = new Map([
  ['\n', '↵\n'],
  ['\r', '␍'],
  ['\t', '⇥'],
  ['\u00a0', '⍽'],
  ['\ufeff', '⟨BOM⟩'],
  ['\u200b', '⟨ZWSP⟩'],
  ['\0', '␀'],
]);

/** Text as nodes: what cannot be seen becomes a sign of its own. Blanks only where they are marked. */
export function visible(text, blanks = false) {
  const nodes = [];
  let plain = '';
  const flush = () => {
    if (plain) nodes.push(document.createTextNode(plain));
    plain = '';
  };
  for (const letter of text) {
    const sign = VISIBLE.get(letter) ?? (blanks && letter === ' ' ? '␣' : undefined);
    if (sign === undefined) {
      plain += letter;
    } else {
      flush();
      nodes.push(h('span', { class: 'unseen' }, sign));
    }
  }
  flush();
  return nodes;
}

export const message = (text) => h('pre', { class: 'message', tabindex: '0' }, visible(text));

function column(title, parts, side, tag, name) {
  const pieces = parts
    .filter((part) => part.in === 'both' || part.in === side)
    .map((part) => (part.in === 'both' ? visible(part.text) : h(tag, {}, visible(part.text, true))));
  return h('div', { class: 'side', 'data-side': side }, h('h3', {}, title), h('pre', { class: `message ${name}`, tabindex: '0' }, pieces));
}

/** The server's message beside the client's; the server's alone when the other is not known. */
export function compare(signature) {
  if (signature.server_message === null) return null;
  if (signature.client_message === null) {
    return h('div', { class: 'sides one' }, column(t('built'), [{ in: 'both', text: signature.server_message }], 'server', 'del', 'ours'));
  }
  const parts = signature.difference.length > 0 ? signature.difference : [{ in: 'both', text: signature.server_message }];
  return h('div', { class: 'sides' },
    column(t('built'), parts, 'server', 'del', 'ours'),
    column(t('signed'), parts, 'client', 'ins', 'theirs'));
}
