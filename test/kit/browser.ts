import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/** Who signs in. */
export interface Person {
  username: string;
  password: string;
}

/** Name and password of the first administrator. */
export function firstPerson(hub: RunningHub): Person {
  const text = readFileSync(join(hub.data, 'first-sign-in.json'), 'utf8');
  return JSON.parse(text) as Person;
}

/** What went wrong inside a page, as it happens. */
export interface OpenPage {
  page: Page;
  /** Errors of its scripts and on its console, and answers of 500 and more. */
  faults: string[];
}

/** Opens an address of the hub in a browser of its own, signed in as the first administrator or as somebody else. */
export async function openPage(
  browser: Browser,
  hub: RunningHub,
  path: string,
  { person = firstPerson(hub), ...options }: BrowserContextOptions & { person?: Person } = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())));
  page.on('response', (reply) => void (reply.status() >= 500 && faults.push(`${reply.status()} ${reply.url()}`)));
  await page.goto(`${hub.url}${path}`);
  const { username, password } = person;
  await page.getByLabel('User name or e-mail').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Sections' }).waitFor();
  return { page, faults };
}

/** What axe finds serious or critical on the page as it is. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    interface Found {
      violations: { id: string; impact: string; nodes: { target: string[] }[] }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<Found> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  });
}
