import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { openPage, startBrowser } from '#kit/browser.ts';
import { until } from '#kit/programs.ts';
import { startToldHost, type ToldHost } from '#kit/told-host.ts';
import { AnomalyKind, Direction } from '#proto/agent/v1/index.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const CPU = 'system.cpu.utilization';
const MEMORY = 'system.linux.memory.available';
const score = (mode: string) => ({ name: 'outrider.anomaly.score', attributes: { 'outrider.metric': CPU, 'cpu.mode': mode } }); // prettier-ignore
const mode = (name: string) => ({ name: CPU, attributes: { 'cpu.mode': name } });
const SERIES = [mode('user'), mode('idle'), { name: MEMORY, attributes: {} }, score('user'), score('idle')];
const MINUTE = 60_000;
/** A quarter of an hour, all of it measured. */
const RANGE = 15 * MINUTE;

let told: ToldHost;
let browser: Browser;
let start = 0;
const noon = { id: randomUUID(), score: 0.8 };
const open = { id: randomUUID(), score: 0.6 };

const cause = (metric: string, attributes: Record<string, string>) => ({
  ...{ metric, attributes, surprise: 12, direction: Direction.UP, channel: 'level' },
  ...{ value: 2, expected: 1, timeMs: BigInt(start - 5 * MINUTE) },
});
const event = (one: { id: string; score: number }, from: number, to: number | undefined, metric: ReturnType<typeof cause>) => ({
  ...{ ...one, revision: 1, kind: AnomalyKind.HOST, surprise: 20, causes: [metric] },
  ...{ startMs: BigInt(from), peakMs: BigInt(from), endMs: to === undefined ? undefined : BigInt(to) },
}); // prettier-ignore

/** A row: numbers that are always the same, and scores where there are some. */
const row = (user = NaN, idle = NaN): number[] => [0.2, 0.8, 4e9, user, idle];

beforeAll(async () => {
  told = await startToldHost('web-1', SERIES);
  start = Math.floor(Date.now() / 10_000) * 10_000;
  // `user` was strange ten minutes ago, `idle`, which no chart shows, eight minutes ago; of what was six minutes ago there is only an event.
  const before = Array.from({ length: 100 }, (_, n) => {
    const back = 100 - n;
    const values = row(back >= 60 && back < 66 ? 0.9 : NaN, back >= 48 && back < 54 ? 0.99 : NaN);
    return { timeMs: start - back * 10_000, values };
  });
  const anomalies = [
    event(noon, start - 6 * MINUTE, start - 5 * MINUTE, cause(CPU, { 'cpu.mode': 'user' })),
    event(open, start - 2 * MINUTE, undefined, cause(MEMORY, {})),
  ];
  await told.tell(start, row(), { before, anomalies });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await told?.close();
});

/** Where the ribbon of what is unusual is drawn under a chart, as shares of the plot's width from its left edge. */
const READ_RIBBON = `(chart) => {
  const [canvas, plot] = ['canvas', '.u-over'].map((name) => document.querySelector('#chart-' + chart + ' ' + name));
  if (canvas === null || plot === null) return undefined;
  const [outer, inner] = [canvas.getBoundingClientRect(), plot.getBoundingClientRect()];
  const scale = canvas.width / outer.width;
  const place = (inner.left - outer.left) * scale;
  const { data, width } = canvas.getContext('2d').getImageData(place, (inner.bottom - outer.top + 7) * scale, inner.width * scale, 1);
  const isDrawn = (x) => data[4 * x + 3] > 200 && data[4 * x] > 110 && data[4 * x + 2] < 60;
  const stretches = [];
  for (let x = 0; x < width; x++)
    if (isDrawn(x)) (isDrawn(x - 1) && stretches.length > 0 ? stretches.at(-1) : stretches[stretches.push([x / width, 0]) - 1])[1] = (x + 1) / width;
  return stretches;
}`;
type Stretches = [from: number, to: number][];
/** The same as minutes before now. */
async function ribbonOf(page: Page, chart: string): Promise<[from: number, to: number][]> {
  const stretches = (await page.evaluate(`(${READ_RIBBON})(${JSON.stringify(chart)})`)) as Stretches | undefined;
  const minutes = (share: number): number => Math.round(((1 - share) * RANGE) / MINUTE);
  return (stretches ?? []).map(([from, to]) => [minutes(from), minutes(to)]);
}

test('a ribbon tells when the lines of its chart were strange, no others; an event stands in, and live scores come without asking', async () => {
  const { page, faults } = await openPage(browser, told.hub, `/hosts/${told.host}`);
  const asked: string[] = [];
  page.on('request', (request) => void (request.url().includes('outrider.anomaly.score') && asked.push(request.url())));
  const age = (Date.now() - start) / MINUTE;
  await until('the ribbon of the CPU is drawn', async () => {
    const ribbon = await ribbonOf(page, 'cpu');
    return ribbon.length === 2 || undefined;
  });
  const near = (wanted: number, found: number | undefined) => expect(Math.abs(wanted + age - (found ?? NaN))).toBeLessThanOrEqual(1); // prettier-ignore
  const [strange, standIn] = await ribbonOf(page, 'cpu');
  near(11, strange?.[0]);
  near(10, strange?.[1]);
  near(6, standIn?.[0]);
  near(5, standIn?.[1]);
  const memory = await until('the ribbon of the memory is drawn', async () => {
    const ribbon = await ribbonOf(page, 'available');
    return ribbon.length === 1 ? ribbon : undefined;
  });
  near(2, memory[0]?.[0]);
  expect(memory[0]?.[1]).toBe(0);
  const before = asked.length;

  await told.tell(Date.now(), row(0.8));
  await until('the live score is drawn', async () => (await ribbonOf(page, 'cpu')).length === 3 || undefined);
  expect((await ribbonOf(page, 'cpu')).at(-1)?.[1]).toBe(0);
  await told.tell(Date.now() + 10_000, row(NaN, 0.9));
  for (let n = 0; n < 2; n++) await page.waitForResponse((reply) => reply.url().includes('/predictions/anomalies'));
  expect(await ribbonOf(page, 'cpu')).toHaveLength(3);
  expect(asked).toHaveLength(before);
  expect(faults).toEqual([]);
  await page.context().close();
});

test.each([1440, 390])('the strip begins and ends where the plots do, %d wide', async (width) => {
  const { page } = await openPage(browser, told.hub, `/hosts/${told.host}`, { viewport: { width, height: 900 } });
  await page.locator('#chart-cpu .u-over').waitFor();
  const edges = (await page.evaluate(`(() => {
    const box = (one) => one.getBoundingClientRect();
    const [strip, plot, grid] = ['.timeline-strip', '#chart-cpu .u-over', '.chart-grid'].map((name) => box(document.querySelector(name)));
    const canvas = box(document.querySelector('#chart-cpu canvas'));
    return [strip.left - plot.left, grid.right - strip.right - (canvas.right - plot.right)];
  })()`)) as number[];
  expect(Math.max(...edges.map(Math.abs))).toBeLessThan(1);
  await page.context().close();
});

test('the strip is walked by keys to an event, which somebody labels and takes back', async () => {
  const { page } = await openPage(browser, told.hub, `/hosts/${told.host}`);
  const strip = page.getByRole('group', { name: 'Anomalies in this time' });
  await strip.getByRole('link', { name: new RegExp(CPU) }).focus();
  await page.keyboard.press('End');
  expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toContain(MEMORY);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  const named = page.locator(`#anomaly-${noon.id}`);
  await named.getByText('jumped').or(named.getByText('is higher')).waitFor();
  await until('it has the focus', async () => (await page.evaluate('document.activeElement.id')) === `anomaly-${noon.id}` || undefined); // prettier-ignore
  await page.keyboard.press('Tab');
  // A hub that takes its time: meanwhile the keyboard must not be thrown out.
  let release = (): void => undefined;
  const held = new Promise<void>((resume) => (release = resume));
  await page.route('**/feedback', (route) => held.then(() => route.continue()));
  const asked = page.waitForRequest('**/feedback');
  await page.keyboard.press('Enter');
  await asked;
  expect(await page.evaluate('document.activeElement.textContent')).toMatch(/Useful$/);
  release();
  await page.getByText('Kept as useful').waitFor();
  const focused = `[document.activeElement.textContent, document.activeElement.matches(':focus-visible')].join()`;
  expect(await page.evaluate(focused)).toMatch(/Useful,true$/);
  const labelOf = async () => (await told.api.call<{ feedback: { mine: string | null } }>('GET', `/api/v1/predictions/anomalies/${noon.id}`)).feedback.mine; // prettier-ignore
  expect(await labelOf()).toBe('useful');
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('the label is taken back', async () => (await labelOf()) === null || undefined);
  await page.context().close();
});
