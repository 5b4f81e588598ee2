import { defineProblems } from '#sdk';

/** What the logs service refuses. */
export const problems = defineProblems('logs', {
  badFrame: { status: 400, title: 'The log lines of a batch are malformed.' },
  badRange: { status: 400, title: 'The time range is empty.' },
  unknownLevel: { status: 400, title: 'There is no such level.' },
  unknownHost: { status: 400, title: 'A host is named by its id.' },
  badAttribute: { status: 400, title: 'An attribute is asked for by its name and value.' },
  unknownTemplate: { status: 400, title: 'A template is named by its id.' },
  notFound: { status: 404, title: 'There is no such line.' },
});
