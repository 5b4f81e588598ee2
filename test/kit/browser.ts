import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { RunningHub } from './running-hub.ts';

/** Starts the Chromium that `make test` found. */
export function startBrowser(): Promise<Browser> {
  const executablePath = process.env['OUTRIDER_TEST_CHROMIUM'];
  if (executablePath === undefined)
    throw new Error('OUTRIDER_TEST_CHROMIUM must name a Chromium; make test finds or installs one');
  // As root Chromium runs only without its sandbox; it sees nothing but our own page.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** Name and password of the first administrator. */
export function firstPerson(hub: RunningHub): { username: string; password: string } {
  const text = readFileSync(join(hub.data, 'first-sign-in.json'), 'utf8');
  return JSON.parse(text) as { username: string; password: string };
}

/** What went wrong inside a page, as it happens. */
export interface OpenPage {
  page: Page;
  /** Errors of its scripts, and answers of 500 and more. */
  faults: string[];
}

/** Opens an address of the hub in a browser of its own, signed in as the first administrator. */
export async function openPage(
  browser: Browser,
  hub: RunningHub,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('response', (reply) => void (reply.status() >= 500 && faults.push(`${reply.status()} ${reply.url()}`)));
  await page.goto(`${hub.url}${path}`);
  const { username, password } = firstPerson(hub);
  await page.getByLabel('User name or e-mail').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Sections' }).waitFor();
  return { page, faults };
}
