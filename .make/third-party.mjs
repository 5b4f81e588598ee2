// The licences of what the executable holds besides our own code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

/** The text for one executable: Node's own licences, then those of each npm package whose code is in the bundle. */
export function licencesOf(inputs, nodeLicence) {
  const packages = new Set(Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[0] ?? []));
  const parts = [...packages].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
    const file = readdirSync(join(ROOT, path)).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(join(ROOT, path, file), 'utf8').trim()}\n`;
  });
  const node = existsSync(nodeLicence) ? readFileSync(nodeLicence, 'utf8').trim() : '';
  return [`Node.js\n\n${node}\n`, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}
