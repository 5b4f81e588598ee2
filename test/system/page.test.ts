import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { openPage, seriousFaults, startBrowser } from '#kit/browser.ts';
import { until, type Api } from '#kit/programs.ts';
import type { RunningHub } from '#kit/running-hub.ts';
import { startWatchedHost, type WatchedHost } from '#kit/watched-host.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMailServer } from '../kit/receivers.ts';

let watched: WatchedHost;
let hub: RunningHub;
let api: Api;
let browser: Browser;
let host = '';
let log = '';

beforeAll(async () => {
  watched = await startWatchedHost();
  ({ hub, api, host, log } = watched);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await watched?.close();
});

const OPENERS = 10;
const FILES_EACH = 900;

/** Opens files by the thousand until it is stopped: a load that is the same on an idle and on a busy machine. */
function openManyFiles(): () => void {
  const work = `const { openSync } = require('node:fs'); for (let n = 0; n < ${FILES_EACH}; n++) openSync('/dev/null'); setInterval(() => {}, 1e6);`;
  const openers = Array.from({ length: OPENERS }, () => spawn(process.execPath, ['-e', work], { stdio: 'ignore' }));
  return () => openers.forEach((opener) => opener.kill('SIGKILL'));
}

async function openFilesNow(): Promise<number> {
  const { series } = await api.call<{ series: { last: number[] }[] }>(
    'GET',
    `/api/v1/monitoring/metrics/${host}?name=system.linux.file_descriptor.count&from=-2m`,
  );
  return series[0]?.last.at(-1) ?? NaN;
}

/** Adds up by how much of the window things moved that nobody touched (web.dev/cls); over 0.1 people notice. */
const WATCH_SHIFTS = `globalThis.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });`;
const SHIFT_LIMIT = 0.1;

const figure = (page: Page, name: string): Promise<string> =>
  page.locator('.figures > div', { hasText: name }).locator('dd').innerText();

test('somebody who is not signed in sees the way in, and comes out at the address that was asked for', async () => {
  const { page, faults } = await openPage(browser, hub, `/hosts/${host}?from=-5m`);
  await page.getByRole('heading', { name: 'CPU by mode' }).waitFor();
  expect(page.url()).toContain(`/hosts/${host}?from=-5m`);
  await page.getByRole('group', { name: 'Anomalies in this time' }).getByText('none in this time').waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'CPU by mode' }).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a wrong password is said, and lets nobody in', async () => {
  const page = await browser.newPage();
  await page.goto(hub.url);
  await page.getByLabel('User name or e-mail').fill('admin');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('navigation').count()).toBe(0);
  await page.close();
});

test('numbers of a host move each second without anybody doing anything', async () => {
  const { page, faults } = await openPage(browser, hub, `/hosts/${host}`);
  const seen = new Set<string>();
  await until('the figures have changed three times', async () => {
    seen.add(await page.locator('.figures').innerText());
    return seen.size >= 4 || undefined;
  });
  expect(await page.getByTestId('freshness').innerText()).toMatch(/^Live/);
  expect(await page.locator('canvas').count()).toBeGreaterThan(3);
  expect(faults).toEqual([]);
  await page.context().close();
});

test('more pages of one browser than it opens connections live at once', async () => {
  const { page } = await openPage(browser, hub, `/hosts/${host}`);
  const pages = [page];
  for (let n = 0; n < 7; n++) {
    const next = await page.context().newPage();
    await next.goto(`${hub.url}/hosts/${host}`);
    pages.push(next);
  }
  for (const one of pages) {
    const before = await one.locator('.figures').innerText();
    await until('its numbers move', async () => (await one.locator('.figures').innerText()) !== before || undefined);
  }
  await page.context().close();
});

test('lines appear while they are written', async () => {
  const { page } = await openPage(browser, hub, '/logs');
  writeFileSync(log, 'ERROR the disk of the pump room is gone\n', { flag: 'a' });
  await page.getByText('the disk of the pump room is gone').first().waitFor();
  await page.getByLabel(/text/i).first().fill('pump room');
  await until('the search is in the address', () => page.url().includes('q=pump') || undefined);
  await page.context().close();
});

test('kinds of lines are counted, drawn and told when they are new; one is left out by keys alone', async () => {
  const written = Array.from({ length: 40 }, (_, n) => `INFO pump ${n} moved ${n * 7} litres in ${n} ms\n`).join('');
  writeFileSync(log, `${written}WARN valve north is stuck\n`, { flag: 'a' });
  const { page, faults } = await openPage(browser, hub, `/hosts/${host}?tab=logs&view=patterns`);
  const row = page.getByRole('row', { name: /litres/ });
  await row.getByText('40', { exact: true }).waitFor();
  expect(await row.getByText('<num>').count()).toBeGreaterThan(1);
  await row.getByRole('strong').getByText('new').waitFor();
  await row.getByRole('img', { name: /^40 lines over the range/ }).waitFor();
  await row.getByRole('button', { name: 'Leave out' }).focus();
  await page.keyboard.press('Enter');
  await row.waitFor({ state: 'detached' });
  expect(page.url()).toContain('notTemplate=');
  await page.setViewportSize({ width: 390, height: 900 });
  const valve = page.getByRole('row', { name: /valve north/ });
  // While the page is made narrow, both places may be there for a moment.
  await until('it is new in one place', async () => (await valve.getByRole('strong').getByText('new').count()) === 1);
  expect(await valve.getByRole('button', { name: 'Leave out' }).count()).toBe(1);
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a real load makes a rule fire: the page shows it and a mail arrives, and both learn when it is over', async () => {
  const mail = await startMailServer();
  const settings = {
    host: '127.0.0.1',
    port: mail.port,
    tls: 'none',
    from: 'outrider@example.org',
    to: ['on-call@example.org'],
  };
  await api.call('POST', '/api/v1/notifications/channels', { name: 'on-call', kind: 'mail', settings });
  const threshold = (await openFilesNow()) + (OPENERS * FILES_EACH) / 2;
  await api.call('POST', '/api/v1/monitoring/alerts', {
    name: 'Too many open files', resource: host, metric: 'system.linux.file_descriptor.count', operator: 'gt', threshold,
    forSeconds: 3, keepFiringSeconds: 0, severity: 'critical', channels: ['on-call'], enabled: true,
  }); // prettier-ignore
  const { page } = await openPage(browser, hub, '/alerts');
  const stop = openManyFiles();
  try {
    await page.getByText('Too many open files').first().waitFor({ timeout: 60_000 });
    await page.getByLabel(/\d+ firing/).waitFor();
  } finally {
    stop();
  }
  const told = await until(
    'the mail has arrived',
    () => mail.mails.find(({ subject }) => subject?.startsWith('[critical]')),
    60,
  );
  expect(told.text).toContain('Too many open files');
  // At most one mail a host and minute, so the second one waits for its minute.
  await until('the end is told too', () => mail.mails.find(({ subject }) => subject?.startsWith('[resolved]')), 120);
  await mail.stop();
  await page.context().close();
});

test('a hub that goes away is said, and its return too', async () => {
  const { page } = await openPage(browser, hub, `/hosts/${host}`);
  await until('it is live', async () => /^Live/.test(await page.getByTestId('freshness').innerText()) || undefined);
  await hub.program.stop();
  await until(
    'it says so',
    async () => /^Reconnecting, last data \d+ s ago/.test(await page.getByTestId('freshness').innerText()) || undefined,
  );
  await hub.restart();
  await until(
    'it is live again',
    async () => /^Live/.test(await page.getByTestId('freshness').innerText()) || undefined,
    60,
  );
  const before = await figure(page, 'Load');
  await until('numbers move again', async () => (await page.locator('.figures').innerText()) !== before || undefined);
  await page.context().close();
});

test('everything can be reached by keyboard', async () => {
  const { page } = await openPage(browser, hub, '/');
  await page.locator('main h1').waitFor();
  for (const [keys, path] of [['gl', '/logs'], ['ga', '/alerts'], ['go', '/']] as const) {
    for (const key of keys) await page.keyboard.press(key);
    await until(`${keys} leads to ${path}`, () => new URL(page.url()).pathname === path || undefined);
  } // prettier-ignore
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('keys');
  await page.keyboard.press('Enter');
  await until('the command box leads to the keys', () => page.url().includes('/settings/keys') || undefined);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.context().close();
});

test.each([
  ['light', 1440],
  ['dark', 1440],
  ['light', 390],
] as const)('axe finds nothing serious in any section, %s, %d wide, and nothing jumps', async (colorScheme, width) => {
  const { page, faults } = await openPage(browser, hub, '/', { colorScheme, viewport: { width, height: 900 } });
  await page.addInitScript(WATCH_SHIFTS);
  const found: string[] = [];
  for (const path of ['/', `/hosts/${host}`, `/hosts/${host}?tab=facts`, `/hosts/${host}?tab=models`, '/logs', '/logs?view=patterns', '/alerts', '/alerts?tab=rules', '/alerts?tab=channels', '/settings/hosts', '/settings/groups', '/settings/people', '/settings/account', '/settings/keys', '/settings/storage']) {
    await page.goto(`${hub.url}${path}`);
    await page.locator('main h1').waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    if (Number(wide) > 1) found.push(`${path}: ${String(wide)} px wider than the window`);
    const shifted = Number(await page.evaluate('globalThis.shifted'));
    if (shifted > SHIFT_LIMIT) found.push(`${path}: things jumped by ${shifted.toFixed(2)}`);
    found.push(...(await seriousFaults(page)).map((fault) => `${path}: ${fault}`));
  } // prettier-ignore
  expect(found).toEqual([]);
  expect(faults).toEqual([]);
  await page.context().close();
});
