/** Takes one picture of each section, from a real hub with a real agent, of models from one with a host that is told of; `make docs` runs it. Takes about two minutes. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPage, startBrowser } from '#kit/browser.ts';
import { CHECKOUT_ROOT, until } from '#kit/programs.ts';
import type { RunningHub } from '#kit/running-hub.ts';
import { startToldHost } from '#kit/told-host.ts';
import { PAST_SERIES, tellPast } from '#kit/told-past.ts';
import { startWatchedHost } from '#kit/watched-host.ts';

const PICTURES = join(CHECKOUT_ROOT, 'hub', 'web', 'pictures');
const WATCH_MS = 90_000;
const LINES = [
  'INFO order 4711 accepted in 38 ms',
  'INFO order 4712 accepted in 41 ms',
  'WARN payment provider answers slowly: 1840 ms',
  'ERROR payment of order 4713 failed: connection reset by peer, trying again in 5 s',
  'INFO payment of order 4713 done at the second try',
  'DEBUG cache: 1204 hits, 37 misses',
];

/** Opens sections of a hub's page one after another and takes a picture of each. */
async function take(hub: RunningHub, sections: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  const browser = await startBrowser();
  for (const [name, path] of Object.entries(sections)) {
    const { page } = await openPage(browser, hub, path, {
      viewport: { width: 1280, height: 800 },
      colorScheme: name === 'host' ? 'dark' : 'light',
    });
    await page.locator('main h1').waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
    await page.context().close();
  }
  await browser.close();
}

const watched = await startWatchedHost({ label: 'env=prod', logName: 'shop.log' });
try {
  const { hub, api, host, log } = watched;
  await api.call('PUT', `/api/v1/monitoring/resources/${host}`, { name: 'web-1' });
  await api.call('POST', '/api/v1/monitoring/alerts', {
    name: 'Memory in use', resource: host, metric: 'system.memory.utilization', operator: 'gt', threshold: 0.01, clear: null,
    forSeconds: 5, keepFiringSeconds: 0, severity: 'warning', channels: [], filter: { 'system.memory.state': 'used' }, enabled: true,
  }); // prettier-ignore
  const end = performance.now() + WATCH_MS;
  for (let n = 0; performance.now() < end; n++) {
    appendFileSync(log, `${new Date().toISOString()} ${LINES[n % LINES.length]}\n`);
    await new Promise((resolve) => setTimeout(resolve, 400 + (n % 7) * 90));
  }
  await take(hub, {
    overview: '/?from=-5m',
    host: `/hosts/${host}?from=-5m`,
    logs: '/logs?from=-5m',
    alerts: '/alerts',
    settings: '/settings/hosts',
  });
} finally {
  await watched.close();
}

const told = await startToldHost('web-1', PAST_SERIES);
try {
  const { hub, api, host } = told;
  await tellPast(told);
  for (const count of [1, 2]) {
    await api.call('POST', '/api/v1/predictions/train-model', { resource: host, days: 0.4 });
    await until(`model ${count} is made`, async () => {
      const { total } = await api.call<{ total: number }>('GET', `/api/v1/predictions/models?resource=${host}`);
      return total === count || undefined;
    }, 90); // prettier-ignore
  }
  await take(hub, { models: `/hosts/${host}?tab=models` });
} finally {
  await told.close();
}
