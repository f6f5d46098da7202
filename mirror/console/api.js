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

export const get = (path) => call('GET', path);
export const post = (path, body = {}) => call('POST', path, body);
export const remove = (path) => call('DELETE', path);

/** Path segments and query values that cannot break out of their place. */
export function path(strings, ...values) {
  return strings.reduce((text, part, at) => text + encodeURIComponent(String(values[at - 1])) + part);
}

/** A query of what is set. */
export function query(values) {
  const set = Object.entries(values).filter(([, value]) => value !== '' && value !== undefined && value !== null);
  return new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
}
