import { defineProblems } from '#sdk';

/** What a write to the series may be refused for. */
export const problems = defineProblems('series', {
  unknownTable: { status: 409, title: 'A block uses a table that was never given.' },
});
