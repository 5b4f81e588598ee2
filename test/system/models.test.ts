import type { Browser, Page } from 'playwright-core';
import { openPage, seriousFaults, startBrowser } from '#kit/browser.ts';
import { until } from '#kit/programs.ts';
import { startToldHost, type ToldHost } from '#kit/told-host.ts';
import { PAST_ROWS, PAST_SERIES, tellPast } from '#kit/told-past.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** It trains, several times. */
const PATIENCE = { timeout: 240_000 };

let told: ToldHost;
let browser: Browser;

beforeAll(async () => {
  told = await startToldHost('web-1', PAST_SERIES);
  await told.tell(Date.now(), [0, 0, 0, 0, 0]);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await told?.close();
});

const tab = (): string => `/hosts/${told.host}?tab=models`;
const part = (page: Page, name: 'Champion' | 'Shadow') => page.getByRole('region', { name });
const versionOf = (page: Page, name: 'Champion' | 'Shadow') => part(page, name).locator('.model-version').innerText();

interface Job {
  id: string;
  state: string;
  version: string | null;
}
const newestJob = async ({ api, host }: ToldHost): Promise<Job | undefined> =>
  (await api.call<{ items: Job[] }>('GET', `/api/v1/predictions/jobs?resource=${host}&limit=1`)).items[0];

/** Has a model trained on the page, and waits until the page says what became of it. */
async function train(page: Page, host = told): Promise<Job> {
  const before = await newestJob(host);
  await page.getByRole('button', { name: 'Train a model' }).click();
  await page.getByLabel('Days to learn from').fill('0.4');
  await page.getByRole('dialog').getByRole('button', { name: 'Train', exact: true }).click();
  await page.getByRole('progressbar').waitFor();
  const job = await until('the training is over', async () => {
    const newest = await newestJob(host);
    return newest?.id !== before?.id && /done|failed/.test(newest?.state ?? '') ? newest : undefined;
  }, 90); // prettier-ignore
  await page.locator('.toasts').getByText(job.version === null ? 'No model was made' : `${job.version} is trained`).waitFor(); // prettier-ignore
  return job;
}

test('who has no model is told what happens meanwhile, and why none can be made of too little', PATIENCE, async () => {
  const { page, faults } = await openPage(browser, told.hub, tab());
  await page.getByRole('heading', { name: 'No model of this host yet' }).waitFor();
  expect(await train(page)).toMatchObject({ state: 'failed', version: null });
  await page.getByText(/The last training failed .* There is too little to learn from/).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test(
  'a model is trained and judges; the next stands beside it, is promoted, undone and rolled back to',
  PATIENCE,
  async () => {
    await tellPast(told);
    const { page, faults } = await openPage(browser, told.hub, tab());
    const { version: first } = await train(page);
    await part(page, 'Champion').getByText('in use by the agent').waitFor();
    await part(page, 'Champion').getByText('rows were left aside').waitFor();
    expect(await versionOf(page, 'Champion')).toBe(first);

    told.problems['shadow'] = 'its layers are not known here';
    const { version: second } = await train(page);
    await part(page, 'Shadow').getByText('the agent does not use it: its layers are not known here').waitFor();
    expect(await versionOf(page, 'Shadow')).toBe(second);

    await part(page, 'Shadow').getByRole('button', { name: 'Promote to champion' }).click();
    await page.getByRole('dialog').getByText(`${first} no longer judges`).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Promote to champion' }).click();
    await until('it judges', async () => (await versionOf(page, 'Champion')) === second || undefined);
    await part(page, 'Shadow')
      .getByText(/^None\./)
      .waitFor();
    await page.getByText(`${second} became champion, before it ${first}`).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await until('it is as it was', async () => (await versionOf(page, 'Shadow')) === second || undefined);
    expect(await versionOf(page, 'Champion')).toBe(first);

    await part(page, 'Champion').getByRole('button', { name: 'Roll back' }).click();
    await page
      .getByRole('dialog', { name: `Roll back to ${second}?` })
      .getByRole('button', { name: 'Roll back' })
      .click();
    await until('it is rolled back', async () => (await versionOf(page, 'Champion')) === second || undefined);
    expect(faults).toEqual([]);
    await page.context().close();
  },
);

test(
  'a version is opened by keys, stands in the address, is downloaded, and removed when nothing names it',
  PATIENCE,
  async () => {
    const { page } = await openPage(browser, told.hub, tab());
    const champion = await versionOf(page, 'Champion');
    await page.getByRole('table', { name: 'Versions of the model' }).getByText('champion').waitFor();
    for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key);
    const first = new URL(page.url()).searchParams.get('version') ?? '';
    expect(first).not.toBe(champion);
    await page.reload();
    const dialog = page.getByRole('dialog', { name: first });
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`${first}.json`);
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page
      .getByRole('dialog', { name: `Remove ${first}?` })
      .getByRole('button', { name: 'Remove it' })
      .click();
    await page.getByText(`${first} is removed`).waitFor();
    const { total } = await told.api.call<{ total: number }>('GET', `/api/v1/predictions/models?resource=${told.host}`);
    expect(total).toBe(1);
    await page.context().close();
  },
);

test('a model whose gate is closed judges only when one insists after having been told why', PATIENCE, async () => {
  const other = await startToldHost('web-2', PAST_SERIES);
  try {
    await tellPast(other, PAST_ROWS / 16);
    const { page } = await openPage(browser, other.hub, `/hosts/${other.host}?tab=models`);
    const { version } = await train(page, other);
    await part(page, 'Champion').getByText(`${version}, the newest, did not pass its gate`).waitFor();
    await page.getByRole('table').getByText(`${version}`).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Promote to champion' }).click();
    const question = page.getByRole('dialog', { name: `Let ${version} judge?` });
    await question.getByRole('button', { name: 'Promote to champion', exact: true }).click();
    await question.getByRole('alert').getByText('of the rows that it had not seen alert').waitFor();
    expect(await part(page, 'Champion').locator('.model-version').count()).toBe(0);
    await question.getByRole('button', { name: 'Promote to champion all the same' }).click();
    await until('it judges', async () => (await versionOf(page, 'Champion')) === version || undefined);
    await page.getByText('whatever its gate says').waitFor();
    await page.context().close();
  } finally {
    await other.close();
  }
});

test('a viewer sees all of it and changes nothing', async () => {
  const { api, hub } = told;
  const { link } = await api.call<{ link: string }>('POST', '/api/v1/users/invitations', { role: 'viewer', days: 1 });
  const person = { username: 'looker', password: 'only-looks-at-things-42' };
  const body = JSON.stringify({ ...person, email: 'looker@example.org', invitation: new URL(link).searchParams.get('invitation') }); // prettier-ignore
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(`${hub.url}/api/v1/auth/register`, { method: 'POST', headers, body })).ok).toBe(true);
  const { page, faults } = await openPage(browser, hub, tab(), { person });
  await part(page, 'Champion').locator('.model-version').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Download' }).waitFor();
  expect(await dialog.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true);
  await page.keyboard.press('Escape');
  for (const name of ['Train a model', 'Roll back', 'Take away'])
    expect(await page.getByRole('button', { name }).first().isDisabled(), name).toBe(true);
  expect(faults).toEqual([]);
  await page.context().close();
});

test.each([
  ['light', 1440],
  ['dark', 1440],
  ['light', 390],
] as const)('axe finds nothing serious, %s, %d wide', async (colorScheme, width) => {
  const { page } = await openPage(browser, told.hub, tab(), { colorScheme, viewport: { width, height: 900 } });
  await part(page, 'Champion').locator('.model-version').waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(1);
  expect(await seriousFaults(page)).toEqual([]);
  await page.context().close();
});
