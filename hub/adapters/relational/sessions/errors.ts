import { defineProblems } from '#sdk';

/** What can go wrong with the relational store. */
export const problems = defineProblems('relational', {
  unavailable: { status: 503, title: 'The database does not answer.', retryable: true },
  badAddress: { status: 500, title: 'The address of the database cannot be used.' },
  refused: { status: 500, title: 'The database refuses the user of the hub.' },
  tooPowerful: { status: 500, title: 'The database user may see every organisation.' },
  newerSchema: { status: 500, title: 'The database was written by a newer version.' },
  changedMigration: { status: 500, title: 'A migration was changed after its release.' },
  noBinaries: { status: 500, title: 'PostgreSQL is not installed with Outrider.' },
  otherMajor: { status: 500, title: 'The data folder belongs to another PostgreSQL version.' },
  cannotStart: { status: 500, title: 'PostgreSQL did not start.' },
});
