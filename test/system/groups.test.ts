import type { Browser, Page } from 'playwright-core';
import { openPage, seriousFaults, startBrowser } from '#kit/browser.ts';
import { until, type Api } from '#kit/programs.ts';
import type { RunningHub } from '#kit/running-hub.ts';
import { enrolSimulated, openSettingsAgent, type SettingsAgent } from '#kit/simulated-agent.ts';
import { startWatchedHost, type WatchedHost } from '#kit/watched-host.ts';
import { SettingsState } from '#proto/agent/v1/index.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const GROUPS = '/api/v1/agents/settings/groups';
/** Longer than the trial of the agent that really runs. */
const PATIENCE = { timeout: 120_000 };

let watched: WatchedHost;
let hub: RunningHub;
let api: Api;
let browser: Browser;

beforeAll(async () => {
  watched = await startWatchedHost({ label: 'role=web', more: 'pushed: { trialSeconds: 30 }' });
  ({ hub, api } = watched);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await watched?.close();
});

/** One more agent, which says of its settings what a test wants. */
async function addAgent(hostname: string, labels: Record<string, string>): Promise<SettingsAgent> {
  const { token } = await api.call<{ token: string }>('POST', '/api/v1/agents/tokens', { labels });
  return openSettingsAgent(await enrolSimulated(hub.url, token, hostname));
}
const newGroup = async (name: string, labels: Record<string, string>): Promise<string> =>
  (await api.call<{ id: string }>('POST', GROUPS, { name, labels })).id;
const push = (group: string, settings: object, canaries: number) =>
  api.call('POST', `${GROUPS}/${group}/revisions`, { settings, canaries });
const figure = (page: Page, name: string): Promise<string> =>
  page.locator('.figures > div', { hasText: name }).locator('dd').innerText();

test('settings are written, looked at and pushed on the page, tried out by an agent before its eyes, and undone', async () => {
  const { page, faults } = await openPage(browser, hub, '/settings/groups');
  await page.getByText('A group is the agents that have all of its labels').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('web servers');
  await page.getByLabel('Labels of its agents').fill('role=web');
  await page.getByText('1 of 1 agent has it').waitFor();
  await page.getByRole('button', { name: 'Make the group' }).click();
  await page.getByRole('heading', { name: 'web servers' }).waitFor();
  await page.getByText('Nothing was pushed to this group').waitFor();

  await page.getByRole('button', { name: 'Push settings' }).click();
  await page.getByLabel('Least level of the agents’ own log').selectOption('debug');
  await page.getByRole('button', { name: 'Add an interval' }).click();
  await page.getByLabel(/^Collector/).fill('exec');
  await page.getByLabel('Every, seconds').fill('10');
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByText('Nothing can be pushed for exec: it runs programs').waitFor();
  await page.getByLabel(/^Collector/).fill('cpu');
  await page.getByRole('button', { name: 'Review' }).click();

  await page.getByRole('row', { name: 'Collector cpu not pushed every 10 s' }).waitFor();
  await page.getByText('It goes to one agent, which tries it first.').waitFor();
  expect((await api.call<{ items: { newest: unknown }[] }>('GET', GROUPS)).items[0]?.newest).toBeNull();
  await page.getByRole('button', { name: 'Push to web servers' }).click();
  await page.getByRole('cell', { name: 'Trying' }).waitFor();
  await page.getByRole('cell', { name: 'Healthy' }).waitFor(PATIENCE);
  await page.getByText('Every agent of the group gets it.').waitFor();
  expect(await figure(page, 'Healthy')).toBe('1');
  await page.getByText('Revision 1, pushed by admin').waitFor();

  await page.getByRole('button', { name: 'Undo revision 1' }).click();
  const dialog = page.getByRole('dialog', { name: 'Undo revision 1?' });
  await dialog.getByText('All that was pushed is taken back').waitFor();
  await dialog.getByRole('button', { name: 'Undo revision 1' }).click();
  await page.getByText('Revision 2 (takes back all), pushed by admin').waitFor();
  expect(await page.getByRole('button', { name: 'Undo', exact: true }).isDisabled()).toBe(true);
  await page.getByRole('cell', { name: 'Healthy' }).waitFor(PATIENCE);
  expect(faults).toEqual([]);
  await page.context().close();
});

test('what a person pushes by keyboard is tried by a few first, and an agent that takes it back says why and stops it', async () => {
  const names = ['db-1', 'db-2', 'db-3'];
  const [first, second, third] = await Promise.all(names.map((name) => addAgent(name, { role: 'db' })));
  third?.close();
  const group = await newGroup('databases', { role: 'db' });
  const { page } = await openPage(browser, hub, `/settings/groups?group=${group}&part=push`);
  const focused = (): Promise<string> => page.evaluate('document.activeElement?.textContent ?? ""');
  const tabTo = (name: string) =>
    until(`the focus is on ${name}`, async () => {
      await page.keyboard.press('Tab');
      return (await focused()) === name || undefined;
    });
  await until('the level has the focus', async () => (await focused()).startsWith('as each agent') || undefined);
  await tabTo('Add a rule');
  await page.keyboard.press('Enter');
  await page.getByLabel('Counted as').focus();
  await page.keyboard.type('noise');
  await page.keyboard.press('Tab');
  await page.keyboard.type('(');
  await page.keyboard.press('Enter');
  await page.getByText(/Unterminated group/).waitFor();
  await page.getByLabel('Pattern').fill('noise');
  await page.keyboard.press('Enter');
  await until('the review has the focus', async () => (await focused()) === 'Look at it once more' || undefined);
  await tabTo('Push to databases');
  await page.keyboard.press('Enter');

  const got = await until('it is pushed', () => first?.pushed[0]);
  first?.say(got, SettingsState.TRYING);
  await page.getByRole('row', { name: /db-1 Trying/ }).waitFor();
  await page.getByRole('row', { name: /db-2 Waiting/ }).waitFor();
  await page.getByRole('row', { name: /db-3 Waiting not connected since/ }).waitFor();
  first?.say(got, SettingsState.ROLLED_BACK, ['pushed.unwell', 'the collector cpu fails: no answer']);
  await page.getByRole('row', { name: /db-1 Rolled back the collector cpu fails: no answer/ }).waitFor();
  await page.getByText(/Halted, .* db-1 took it back: the collector cpu fails: no answer\./).waitFor();
  await page.getByRole('row', { name: /db-2 Keeps what it had its own settings/ }).waitFor();
  expect([await figure(page, 'Rolled back'), await figure(page, 'Keep what'), second?.pushed]).toEqual(['1', '2', []]);
  expect(await page.locator('.figures > div', { hasText: 'Healthy' }).count()).toBe(0);
  await push(group, { log: { level: 'warn' } }, 0);
  await page.getByRole('row', { name: /db-3 Offline/ }).waitFor();
  await page.context().close();
});

test('what a broader group pushed is shown before a narrower one takes its place, and can be kept', async () => {
  const cache = await addAgent('cache-1', { role: 'cache', zone: 'a' });
  const caches = await newGroup('caches', { role: 'cache' });
  await push(caches, { redact: { ip: true } }, 0);
  cache.say(await until('it is pushed', () => cache.pushed[0]), SettingsState.APPLIED);
  const narrow = await newGroup('caches of a', { role: 'cache', zone: 'a' });
  const { page, faults } = await openPage(browser, hub, `/settings/groups?group=${narrow}`);
  await page
    .getByRole('row', { name: /cache-1 In another group ?: caches revision \d+ of caches role=cache/ })
    .waitFor();
  await page.getByRole('button', { name: 'Push settings' }).click();
  await page.getByRole('button', { name: 'Add an interval' }).click();
  await page.getByLabel(/^Collector/).fill('cpu');
  await page.getByLabel('Every, seconds').fill('10');
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('heading', { name: /One agent \(cache-1\) has revision \d+ of caches/ }).waitFor();
  await page.getByRole('row', { name: 'Replace: IP addresses in every line ✕ taken away' }).waitFor();
  await page.getByText('One thing that caches pushed to them is taken away').waitFor();
  await page.getByRole('button', { name: 'Keep it too' }).click();
  await page.getByText('taken away').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Push to caches of a' }).click();
  const got = await until('it is pushed', () => cache.pushed.find(({ document }) => document.includes('cpu')));
  expect(JSON.parse(got.document)).toEqual({ collectors: { cpu: { interval: 10 } }, redact: { ip: true } });
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a label that a host has on its page only does not count for groups, and that is said', async () => {
  const { items } = await api.call<{ items: { id: string; name: string }[] }>('GET', '/api/v1/monitoring/resources');
  const host = items.find(({ name }) => name !== 'cache-1' && !name.startsWith('db-'));
  await api.call('PUT', `/api/v1/monitoring/resources/${String(host?.id)}`, { labels: { rack: '7' } });
  const { page } = await openPage(browser, hub, '/settings/groups');
  await page.getByLabel('Labels of its agents').fill('rack=7');
  await page.getByText(/0 of \d+ agents have it/).waitFor();
  await page.getByText(/One host has such labels on the page only/).waitFor();
  const offered = page.locator('datalist option[value="rack=7"]');
  expect([await offered.count(), await page.locator('datalist option[value="role=web"]').count()]).toEqual([0, 1]);
  await page.context().close();
});

test('a viewer sees all of it and is told who may push', async () => {
  const { link } = await api.call<{ link: string }>('POST', '/api/v1/users/invitations', { role: 'viewer', days: 1 });
  const invitation = new URL(link).searchParams.get('invitation');
  const person = { username: 'looker', password: 'a long password for looking' };
  const body = JSON.stringify({ ...person, email: 'looker@example.org', invitation });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${hub.url}/api/v1/auth/register`, { method: 'POST', headers, body });
  expect(reply.status, await reply.text()).toBe(201);
  const group = await newGroup('looked at', { role: 'nobody' });
  await push(group, { log: { level: 'warn' } }, 0);
  const { page, faults } = await openPage(browser, hub, '/settings/groups', { person });
  await page.getByText(/Making groups and pushing settings needs the role admin/).waitFor();
  await page.getByRole('link', { name: 'looked at' }).click();
  await page.getByText('from warn on', { exact: true }).waitFor();
  await page.getByText(/Pushing settings needs the role admin; yours is viewer/).waitFor();
  await page.goto(`${hub.url}/settings/groups?group=${group}&part=push`);
  await page.getByText('from warn on', { exact: true }).waitFor();
  for (const name of [/Push/, /Undo/, /Remove/, /Begin with/, /Review/])
    expect(await page.getByRole('main').getByRole('button', { name }).count()).toBe(0);
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a group that is gone is said, and the way back too', async () => {
  const { page } = await openPage(browser, hub, '/settings/groups?group=00000000-0000-0000-0000-000000000000');
  await page.getByRole('heading', { name: 'There is no such group' }).waitFor();
  await page.getByRole('button', { name: 'To all groups' }).click();
  await page.getByRole('heading', { name: 'Groups of agents' }).waitFor();
  await page.context().close();
});

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
] as const)(
  'axe finds nothing serious in a group and in what pushes to it, %s, %d wide',
  async (colorScheme, width) => {
    const group = await newGroup(`${colorScheme} ${width}`, { role: 'web' });
    await push(group, { collectors: { cpu: { interval: 5 } }, redact: { ip: true } }, 0);
    const options = { colorScheme, viewport: { width, height: 900 } };
    const { page, faults } = await openPage(browser, hub, `/settings/groups?group=${group}`, options);
    const found: string[] = [];
    const look = async (what: string): Promise<void> => {
      const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(wide) > 1) found.push(`${what}: ${String(wide)} px wider than the window`);
      found.push(...(await seriousFaults(page)).map((fault) => `${what}: ${fault}`));
    };
    await page.getByRole('heading', { name: 'History' }).waitFor();
    await look('the group');
    await page.getByRole('button', { name: 'Begin with it' }).click();
    await page.getByLabel('Every, seconds').fill('0');
    await page.getByRole('button', { name: 'Add a rule' }).click();
    await page.getByRole('button', { name: 'Add a pattern' }).click();
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText(/things are not right yet/).waitFor();
    await look('the form');
    for (const name of ['Remove the rule', 'Remove the pattern']) await page.getByRole('button', { name }).click();
    await page.getByLabel('Every, seconds').fill('1');
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('heading', { name: 'Look at it once more' }).waitFor();
    await look('the review');
    expect(found).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  },
);
