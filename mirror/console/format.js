// Amounts, times and names as text.

/** Yuan from fen, by digits alone: 123456 is 1,234.56. */
export function yuan(fen) {
  if (fen === null || fen === undefined) return '–';
  const text = String(fen);
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text.slice(sign.length).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}¥${whole}.${digits.slice(-2)}`;
}

export const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

/** RFC 3339 for reading, with its zone: 2026-08-10 12:00:00 +08:00. Parts of a second stay when asked for. */
export function time(text, exact = false) {
  if (!text) return '–';
  const match = /^(\S+)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return text;
  const [, day, clock, part, zone] = match;
  const fraction = exact && part ? part.slice(0, 4) : '';
  return `${day} ${clock}${fraction} ${zone === 'Z' ? '+00:00' : zone}`;
}

/** Seconds since 1970, as a time in Beijing. */
export function unixTime(seconds) {
  const moment = new Date((Number(seconds) + 8 * 3600) * 1000);
  return Number.isNaN(moment.getTime()) ? String(seconds) : time(moment.toISOString().replace(/\.\d+Z$/, '+08:00'));
}

/** Microseconds. */
export const micros = (number) =>
  number < 1000 ? `${number} µs` : `${Math.trunc(number / 1000)}.${String(Math.trunc((number % 1000) / 100))} ms`;

/** Seconds of the day as a time of day. */
export function clockTime(seconds) {
  const two = (number) => String(number).padStart(2, '0');
  return `${two(Math.trunc(seconds / 3600))}:${two(Math.trunc((seconds % 3600) / 60))}:${two(seconds % 60)}`;
}

/** A share of a whole in thousandths, for bars: whole numbers only. */
export const thousandths = (part, whole) =>
  whole > 0 ? Math.max(0, Math.min(1000, Math.trunc((part * 1000) / whole))) : 0;
