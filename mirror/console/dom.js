// Elements. Text only ever becomes a text node, so nothing that came from outside is read as HTML.

/** An element. Properties beginning with `on` are listeners, `class` and `data-…` and `aria-…` are attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A part of a page that is built anew only when its data changed, and then keeps the focus. */
export class Part {
  constructor(element, build) {
    this.element = element;
    this.build = build;
    this.shown = undefined;
  }

  show(data) {
    const text = JSON.stringify(data);
    if (text === this.shown) return;
    this.shown = text;
    const active = document.activeElement;
    const inside = this.element.contains(active);
    const key = inside ? active.dataset.key : undefined;
    const open = new Set([...this.element.querySelectorAll('details[open][data-key]')].map((one) => one.dataset.key));
    this.element.replaceChildren(...[this.build(data)].flat(Infinity).filter(Boolean));
    for (const one of this.element.querySelectorAll('details[data-key]')) one.open ||= open.has(one.dataset.key);
    if (key) [...this.element.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key)?.focus();
  }
}

export const card = (title, ...children) =>
  h('section', { class: 'card' }, h('h2', {}, ...[title].flat()), ...children);

/** A list of names and values; rows without a value are left out. */
export const facts = (rows) =>
  h('dl', { class: 'facts' }, rows.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => [h('dt', {}, name), h('dd', {}, ...[value].flat().map((one) => (one instanceof Node ? one : String(one))))]));

/** A table that scrolls by itself when the window is narrow. */
export function table(heads, rows, empty, name) {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty);
  // In a narrow window the heads are gone, and each cell carries its own.
  for (const row of rows) [...row.children].forEach((cell, at) => { cell.dataset.label = heads[at]; });
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name },
    h('table', { class: 'list' },
      h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, rows)));
}

export const badge = (kind, text, title) => h('span', { class: `badge ${kind}`, title }, text);

/** A button that is off while its work runs. */
export function button(text, work, properties = {}) {
  const element = h('button', { type: 'button', ...properties }, text);
  element.addEventListener('click', async () => {
    if (element.disabled) return;
    element.disabled = true;
    try {
      await work();
    } finally {
      element.disabled = false;
    }
  });
  return element;
}
