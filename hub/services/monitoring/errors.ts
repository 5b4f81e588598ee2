import { defineProblems } from '#sdk';

/** What monitoring refuses. */
export const problems = defineProblems('monitoring', {
  notFound: { status: 404, title: 'There is no such resource.' },
  badMatrix: { status: 400, title: 'The samples cannot be answered as one table.' },
  badFrame: { status: 400, title: 'The metrics of a batch are malformed.' },
});
