/**
 * The page in a real Chromium: how soon the first numbers are there after sign-in, and what a host with all its charts in view costs while they live.
 * The floor of the second figure is a page of the same browser that shows nothing. Measured on two quiet cores: first numbers after 242 ms (worst of five 286);
 * 32 live charts in view took 3.3 % of a core on the main thread and 5.9 % in all of Chromium (an empty page: 1.8 %).
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { firstPerson, openPage, startBrowser } from '#kit/browser.ts';
import type { RunningHub } from '#kit/running-hub.ts';
import { startWatchedHost } from '#kit/watched-host.ts';

const SECONDS = Number(process.env['SECONDS'] ?? 30);
const SIGN_INS = 5;
/** Tall enough that every chart of a host is drawn. */
const TALL = { width: 1440, height: 4200 };

/** Parent and CPU seconds of every process that lives now. */
function processes(): Map<number, { parent: number; cpu: number }> {
  const found = new Map<number, { parent: number; cpu: number }>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      found.set(Number(pid), { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) / 100 });
    } catch {
      continue; // It has ended meanwhile.
    }
  }
  return found;
}

/** CPU seconds of a process and everything that it started. */
function treeCpu(root: number): number {
  const all = processes();
  const below = (pid: number): number =>
    [...all].reduce((sum, [child, { parent }]) => (parent === pid ? sum + below(child) : sum), all.get(pid)?.cpu ?? 0);
  return below(root);
}

/** The browser is the one child of this process that the programs under test are not. */
function browserPid(others: readonly (number | undefined)[]): number {
  const own = [...processes()].filter(([pid, { parent }]) => parent === process.pid && !others.includes(pid));
  const found = own.find(([pid]) => /chrom/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')));
  if (found === undefined) throw new Error('the browser was not found among the children of this process');
  return found[0];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function cost(page: Page, root: number): Promise<{ main: number; all: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const tasks = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  };
  const [mainBefore, allBefore] = [await tasks(), treeCpu(root)];
  await pause(SECONDS * 1000);
  return { main: (await tasks()) - mainBefore, all: treeCpu(root) - allBefore };
}

const share = (seconds: number): string => `${((seconds / SECONDS) * 100).toFixed(1)} %`;

async function timeFirstNumbers(browser: Browser, hub: RunningHub): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(hub.url);
  const { username, password } = firstPerson(hub);
  await page.getByLabel('User name or e-mail').fill(username);
  await page.getByLabel('Password').fill(password);
  const begin = performance.now();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.figures dd', { hasText: '%' }).first().waitFor();
  const ms = performance.now() - begin;
  await context.close();
  return ms;
}

const watched = await startWatchedHost();
const { hub, host, agentPid } = watched;
const browser = await startBrowser();
try {
  const times: number[] = [];
  for (let n = 0; n < SIGN_INS; n++) times.push(await timeFirstNumbers(browser, hub));
  times.sort((a, b) => a - b);
  console.log(
    `first numbers after sign-in: median ${times[2]?.toFixed(0)} ms, worst ${times.at(-1)?.toFixed(0)} ms of ${SIGN_INS}`,
  );

  const root = browserPid([hub.program.child.pid, agentPid]);
  const empty = await browser.newPage();
  const floor = await cost(empty, root);
  await empty.close();
  const { page } = await openPage(browser, hub, `/hosts/${host}`, { viewport: TALL });
  await page.getByRole('heading', { name: 'CPU by mode' }).waitFor();
  await pause(5000);
  const charts = await page.locator('.u-over').count();
  const live = await cost(page, root);
  console.log(
    `${charts} live charts in view, ${SECONDS} s: main thread ${share(live.main)} of one core, all of Chromium ${share(live.all)} (an empty page: ${share(floor.all)})`,
  );
} finally {
  await browser.close();
  await watched.close();
}
