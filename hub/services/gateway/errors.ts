import { defineProblems } from '#sdk';

/** What the edge refuses. */
export const problems = defineProblems('gateway', {
  badCredential: { status: 401, title: 'The access token is not valid. Sign in again.' },
  tokenExpired: { status: 401, title: 'The access token has ended. Refresh it.' },
  tooManyRequests: { status: 429, title: 'Too many calls.', retryable: true },
  busy: { status: 503, title: 'Too many packages are being fetched at once.', retryable: true },
  unknownPath: { status: 404, title: 'There is nothing at this address.' },
  crossSite: { status: 403, title: 'This call must come from the hub’s own page.' },
});
