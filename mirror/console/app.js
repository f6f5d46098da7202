// Picks the page by the part of the address after #, draws it, and keeps it fresh while it can be seen.
import { h } from './dom.js';
import { notice } from './notice.js';
import { THEMES, apply, currentLanguage, currentTheme, setLanguage, setTheme } from './settings.js';
import { named, t } from './words.js';
import * as callbacks from './callbacks.js';
import * as card from './card.js';
import * as cards from './cards.js';
import * as faults from './faults.js';
import * as overview from './overview.js';
import * as request from './request.js';
import * as requests from './requests.js';
import * as stock from './stock.js';

/** Milliseconds between two looks; a mirror that takes long to answer is asked less often. */
const EVERY = 2000;
const SELDOM = 30000;
const SHARE = 20;
const PAGES = [
  [/^\/?$/, overview],
  [/^\/requests$/, requests],
  [/^\/requests\/(\d+)$/, request],
  [/^\/stocks\/(\d+)$/, stock],
  [/^\/cards$/, cards],
  [/^\/cards\/([^/]+)$/, card],
  [/^\/callbacks$/, callbacks],
  [/^\/faults$/, faults],
];
const NAV = [['overview', '/'], ['requests', '/requests'], ['cards', '/cards'], ['callbacks', '/callbacks'], ['faults', '/faults']];

let shown = { refresh: async () => {} };
let turn = 0;

function drawBar(path) {
  const here = (to) => (to === '/' ? path === '/' || path.startsWith('/stocks') : path.startsWith(to));
  document.getElementById('skip').textContent = t('skip');
  const nav = document.getElementById('nav');
  nav.setAttribute('aria-label', t('pages'));
  nav.replaceChildren(...NAV.map(([name, to]) =>
    h('a', { href: `#${to}`, 'aria-current': here(to) ? 'page' : undefined }, t(name))));
  const language = h('button', {
    type: 'button', id: 'language', lang: currentLanguage() === 'zh' ? 'en' : 'zh-CN', 'aria-label': t('languageLabel'),
    onclick: () => change('language', () => setLanguage(currentLanguage() === 'zh' ? 'en' : 'zh')),
  }, t('language'));
  const theme = h('select', {
    id: 'theme', 'aria-label': t('theme'),
    onchange: (event) => change('theme', () => setTheme(event.target.value)),
  }, THEMES.map((one) => h('option', { value: one }, named('theme', one))));
  theme.value = currentTheme();
  document.getElementById('tools').replaceChildren(theme, language);
}

function change(focus, set) {
  set();
  draw();
  document.getElementById(focus)?.focus();
}

function draw() {
  const path = decodeURIComponent(location.hash.slice(1)) || '/';
  drawBar(path);
  const main = document.getElementById('main');
  const found = PAGES.map(([pattern, page]) => [pattern.exec(path), page]).find(([match]) => match);
  const root = h('div', { class: 'page', 'data-path': path });
  main.replaceChildren(root);
  shown = found ? found[1].open(root, ...found[0].slice(1)) : nothing(root);
  document.title = `${shown.title} · favor mirror`;
  turn += 1;
  tick(turn);
}

function nothing(root) {
  root.append(h('p', { class: 'empty' }, t('notFound')));
  return { title: t('notFound'), refresh: async () => {} };
}

let failing = false;
/** One chain of refreshes for each page drawn; a newer page ends the older chain. */
async function tick(mine) {
  if (mine !== turn) return;
  const began = performance.now();
  if (!document.hidden) {
    try {
      await shown.refresh();
      failing = false;
    } catch (error) {
      if (mine === turn && !failing) notice(error.message || t('offline'), 'bad');
      failing = true;
    }
  }
  const took = performance.now() - began;
  setTimeout(() => tick(mine), Math.min(SELDOM, Math.max(EVERY, took * SHARE)));
}

apply();
window.addEventListener('hashchange', () => {
  draw();
  window.scrollTo(0, 0);
  document.getElementById('main').focus({ preventScroll: true });
});
draw();
