import { defineProblems } from '#sdk';

/** What the predictions service refuses. */
export const problems = defineProblems('predictions', {
  badRange: { status: 400, title: 'The time range is empty.' },
  notFound: { status: 404, title: 'There is no such anomaly event.' },
});
