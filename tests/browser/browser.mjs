// Chromium with the console open in it, and what must not happen there.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Nothing of the browser's own goes to the network. */
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export async function openBrowser(mirror) {
  assert.ok(existsSync(CHROMIUM), `${CHROMIUM} is missing; get it with: apt-get install chromium`);
  const profile = mkdtempSync(join(tmpdir(), 'favor-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM, headless: true, args: FLAGS, locale: 'en-US', colorScheme: 'light',
    viewport: { width: 1280, height: 900 }, timeout: 120_000,
  });
  const page = context.pages()[0] ?? await context.newPage();
  // Far longer than anything here takes, also on a machine that does much else.
  page.setDefaultTimeout(60_000);
  /** What must stay empty: errors on the page, and requests to anywhere but the mirror. */
  const errors = [];
  const strangers = [];
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('dialog', (dialog) => {
    errors.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${mirror.base_url}/_mirror`)) strangers.push(request.url());
  });

  async function open(route) {
    await page.goto(`${mirror.base_url}/_mirror/#${route}`);
    // The page before it is still drawn until the browser has told the console of the new address.
    await page.locator(`.page[data-path="${route}"]`).waitFor();
  }

  async function close() {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }

  // A browser reports an answer that is an error as an error of its own.
  const answer = /status of (4\d\d) \(/;
  const own = () => errors.filter((text) => !answer.test(text));
  const refused = () => errors.map((text) => answer.exec(text)?.[1]).filter(Boolean);
  return { page, open, close, own, refused, strangers };
}
