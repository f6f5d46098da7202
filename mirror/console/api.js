// Control calls. All paths are under /_mirror of the server this page came from.

export class CallError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(method, path, body) {
  const init = { method, headers: { accept: 'application/json' }, cache: 'no-store' };
  if (body !== undefined) {
    init.headers['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  const response = await fetch(`/_mirror/${path}`, init);
  const text = await response.text();
  let value;
  try {
    value = text ? JSON.parse(text) : {};
  } catch {
    throw new CallError(response.status, 'NOT_JSON', text.slice(0, 200));
  }
  if (!response.ok) throw new CallError(response.status, value.code ?? '', value.message ?? response.statusText);
  return value;
}

/** Goes up when a change begins and when it ends. */
let changes = 0;

async function change(method, path, body) {
  changes += 1;
  try {
    return await call(method, path, body);
  } finally {
    changes += 1;
  }
}

export const get = (path) => call('GET', path);
export const post = (path, body = {}) => change('POST', path, body);
export const remove = (path) => change('DELETE', path);

/** Reads, and once more when something was changed meanwhile: what was read may be older than what is shown by now. */
export async function fresh(read) {
  for (;;) {
    const before = changes;
    const value = await read();
    if (before === changes) return value;
  }
}

/** Path segments and query values that cannot break out of their place. */
export function path(strings, ...values) {
  return strings.reduce((text, part, at) => text + encodeURIComponent(String(values[at - 1])) + part);
}

/** A query of what is set. */
export function query(values) {
  const set = Object.entries(values).filter(([, value]) => value !== '' && value !== undefined && value !== null);
  return new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
}
