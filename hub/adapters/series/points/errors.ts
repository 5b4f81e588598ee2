import { defineProblems } from '#sdk';

/** What a series store may answer with. What the server or its operator is to blame for is retryable: the samples are good. */
export const problems = defineProblems('series', {
  unknownTable: { status: 409, title: 'A block uses a table that was never given.' },
  badAddress: { status: 500, title: 'The address of the series store cannot be used.' },
  unavailable: { status: 503, title: 'The series store does not answer.', retryable: true },
  overloaded: { status: 503, title: 'More samples wait for the series store than the hub may hold.', retryable: true },
  refused: { status: 500, title: 'The series store refuses the hub.', retryable: true },
  otherVersion: { status: 500, title: 'The series store is of a version that cannot be used.', retryable: true },
});
