import { defineProblems } from '#sdk';

/** What can be wrong with rules, firings and silences. */
export const problems = defineProblems('alerts', {
  notFound: { status: 404, title: 'There is no such rule, alert or silence.' },
  invalidRule: { status: 400, title: 'The rule cannot work.' },
  invalidSilence: { status: 400, title: 'The silence cannot work.' },
  builtIn: { status: 409, title: 'This rule belongs to every organisation.' },
  noPreview: { status: 409, title: 'This rule cannot be tried on the past.' },
  unknownResource: { status: 400, title: 'There is no such host.' },
  tooMany: { status: 409, title: 'There are too many.' },
});
