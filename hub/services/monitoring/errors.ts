import { defineProblems } from '#sdk';

/** What monitoring refuses. */
export const problems = defineProblems('monitoring', {
  notFound: { status: 404, title: 'There is no such resource.' },
  badFrame: { status: 400, title: 'The metrics of a batch are malformed.' },
});
