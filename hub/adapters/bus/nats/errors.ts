import { defineProblems } from '#sdk';

/** What the bus refuses. */
export const problems = defineProblems('bus', {
  unavailable: { status: 503, title: 'The bus does not answer.', retryable: true },
  full: { status: 503, title: 'The bus is full.', retryable: true },
  tooLarge: { status: 413, title: 'A message is too large for the bus.' },
  refused: { status: 500, title: 'The bus refuses the hub.' },
  unfit: { status: 500, title: 'The server is no bus for a hub.' },
});
