// The texts of the console: whatever a page asks for is there, in both languages.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const FOLDER = new URL('../../mirror/console/', import.meta.url);
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.js'))
  .map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')]);
const tables = scripts.filter(([name]) => name.startsWith('words'));
const entries = tables.flatMap(([, text]) => [...text.matchAll(/^ {2}(\w+): (\[[^\]]*\]),$/gm)]);
const words = new Map(entries.map(([, name, pair]) => [name, Function(`return ${pair}`)()]));
const holes = (text) => [...text.matchAll(/\{\d\}/g)].map(([hole]) => hole).sort().join();

test('every text that a page asks for is there', () => {
  assert.ok(words.size > 250, `${words.size} texts were found`);
  const missing = scripts.flatMap(([name, text]) =>
    [...text.matchAll(/\b(?:t\(|cause: |advice: )'(\w+)'/g)].filter(([, word]) => !words.has(word)).map(([, word]) => `${name}: ${word}`));
  assert.deepEqual(missing, []);
});

test('every kind of fault and each of its fields has a text', () => {
  const [, table] = /const KINDS = \{\n([^]*?)\n\};/.exec(readFileSync(new URL('faults.js', FOLDER), 'utf8'));
  const kinds = Function(`return {${table}}`)();
  assert.ok(Object.keys(kinds).length > 20, table);
  const wanted = Object.entries(kinds).flatMap(([kind, fields]) => [`kind_${kind}`, ...fields.flatMap(([name, type]) =>
    [`f_${name}`, ...(Array.isArray(type) ? type.map((one) => `${name}_${one}`) : [])])]);
  assert.deepEqual(wanted.filter((word) => !words.has(word)), []);
});

test('no text is there twice', () => {
  assert.equal(words.size, entries.length);
});

test('every text says the same in both languages', () => {
  for (const [name, pair] of words) {
    assert.equal(pair.length, 2, name);
    assert.ok(pair.every((text) => text.trim()), name);
    assert.equal(holes(pair[0]), holes(pair[1]), name);
  }
});
