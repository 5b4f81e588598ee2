// make docs: writes settings tables, pages of collectors and the types of the web API; then, with a browser, the pictures of the page.
import { join } from 'node:path';
import { chromium } from './programs.mjs';
import { giveUp, ROOT, step } from './steps.mjs';

const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
const written = await step('writing settings tables, collector pages and types of the web API', process.execPath, [tsx, 'test/rules/write-documents.ts']);
if (written.code !== 0) giveUp('The documents could not be written.');

const browser = await chromium();
if (browser.path === undefined) giveUp(`No pictures were taken: ${browser.reason}`);
const taken = await step('taking pictures of the page', process.execPath, [tsx, 'test/system/take-pictures.ts'], {
  env: { ...process.env, OUTRIDER_TEST_CHROMIUM: browser.path },
});
if (taken.code !== 0) giveUp('The pictures could not be taken.');
