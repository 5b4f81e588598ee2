import { defineProblems } from '#sdk';

/** What the logs service refuses. */
export const problems = defineProblems('logs', {
  badFrame: { status: 400, title: 'The log lines of a batch are malformed.' },
  notFound: { status: 404, title: 'There is no such line.' },
});
