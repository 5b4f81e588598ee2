/** Writes every generated document; `make docs` runs it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '#sdk';
import { documentAll } from '../../plugins/collectors/document-all.ts';
import { generatedDocuments } from './documents.ts';
import { CHECKOUT } from './layers.ts';

try {
  for (const { path, text } of await generatedDocuments()) writeFileSync(join(CHECKOUT, path), text);
  await documentAll('write');
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
