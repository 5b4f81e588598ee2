import { defineProblems } from '#sdk';

/** What can be wrong with people, keys and sessions. */
export const problems = defineProblems('users', {
  wrongCredentials: { status: 401, title: 'The name or the password is wrong.' },
  wrongPassword: { status: 403, title: 'The old password is wrong.' },
  throttled: { status: 429, title: 'Too many tries.', retryable: true },
  disabled: { status: 403, title: 'This account is switched off.' },
  sessionEnded: { status: 401, title: 'The session has ended. Sign in again.' },
  sessionReused: { status: 401, title: 'An old session token was used again; the session was ended.' },
  unknownKey: { status: 401, title: 'The key is unknown or has ended.' },
  needsPerson: { status: 403, title: 'Only a person who signed in may do this, not a key.' },
  registrationClosed: { status: 403, title: 'Registration is closed.' },
  invitationEnded: { status: 410, title: 'The invitation was used or has ended.' },
  otherInvited: { status: 403, title: 'The invitation is for another e-mail address.' },
  taken: { status: 409, title: 'The name or the e-mail address is taken.' },
  weakPassword: { status: 400, title: 'The password is too easy to guess.' },
  notFound: { status: 404, title: 'There is no such person, key, session or invitation.' },
  lastOwner: { status: 409, title: 'An organisation keeps at least one owner.' },
  aboveYou: { status: 403, title: 'Nobody can give or take a role above their own.' },
});
