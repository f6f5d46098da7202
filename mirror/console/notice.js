// Short messages about what was done or went wrong.
import { h } from './dom.js';
import { t } from './words.js';

const SHOWN_FOR = 8000;

export function notice(text, kind = 'good') {
  const place = document.getElementById('notices');
  const close = h('button', { type: 'button', 'aria-label': t('close'), onclick: () => box.remove() }, '×');
  const box = h('div', { class: `notice ${kind}` }, h('span', {}, text), close);
  place.replaceChildren(box);
  setTimeout(() => box.remove(), SHOWN_FOR);
}

/** Does something and says so when it fails; answers whether it worked. */
export async function attempt(work, done) {
  try {
    const value = await work();
    if (done) notice(typeof done === 'function' ? done(value) : done);
    return true;
  } catch (error) {
    notice(error.message || t('unreachable'), 'bad');
    return false;
  }
}
