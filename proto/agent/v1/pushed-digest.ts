import { createHash } from 'node:crypto';

/** The SHA-256 of a document's text: a revision's number alone could come twice, from a hub that was put back to an older state. */
export const digestOf = (document: string): string => createHash('sha256').update(document).digest('hex');
