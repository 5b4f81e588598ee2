import { createHash } from 'node:crypto';

/** JSON with the names of every object in order, so that equal documents have equal texts. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([name, part]) => [name, inOrder(part)]));
}

/** The SHA-256 of a model without its `digest`, lower-case hex. */
export function modelDigest(document: Readonly<Record<string, unknown>>): string {
  const { digest: _digest, ...rest } = document;
  return createHash('sha256')
    .update(JSON.stringify(inOrder(rest)))
    .digest('hex');
}
