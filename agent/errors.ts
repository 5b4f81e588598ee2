import { defineProblems } from '#sdk';

/** What the agent tells its operator. */
export const problems = defineProblems('agent', {
  notEnrolled: { status: 409, title: 'This agent has no identity yet.' },
  noToken: { status: 400, title: 'There is no join token.' },
  badToken: { status: 400, title: 'The join token cannot be read.' },
  refused: { status: 403, title: 'The hub refused the enrolment.' },
  unreachable: { status: 503, title: 'The hub cannot be reached.', retryable: true },
  wrongHub: { status: 403, title: 'That is not the hub of the join token.' },
  badAuthority: { status: 400, title: 'The certificate of an authority cannot be read.' },
  damagedIdentity: { status: 500, title: 'The identity of this agent is damaged.' },
  notReadable: { status: 403, title: 'The identity of this agent cannot be read.' },
  noTerminal: { status: 400, title: 'There is no terminal.' },
  noColumn: { status: 400, title: 'The file has no such column.' },
  notWritten: { status: 507, title: 'A file cannot be written.' },
  noSpool: { status: 404, title: 'There is no spool.' },
  badMark: { status: 400, title: 'That mark cannot be made.' },
  notInQuarantine: { status: 404, title: 'The quarantine holds no such batch.' },
  badTable: { status: 400, title: 'A table of samples cannot be read.' },
  fileNotReadable: { status: 400, title: 'A file cannot be read.' },
  damagedScores: { status: 500, title: 'What was known of metrics is damaged.' },
  spoolNotWritable: { status: 507, title: 'The spool cannot be written.', retryable: true },
});
