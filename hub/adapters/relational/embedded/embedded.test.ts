import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAdapter } from '#kit/stores.ts';
import { afterAll } from 'vitest';
import { relationalContract } from '../../../ports/relational.contract.ts';
import { embeddedRelational } from './index.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

relationalContract('embedded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-pg-'));
  folders.push(folder);
  return Promise.resolve(makeAdapter(embeddedRelational, folder));
});
