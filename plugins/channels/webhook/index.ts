import { Type } from 'typebox';
import { defineChannel, defineProblems, type Message } from '#sdk';
import { sign } from './signature.ts';

const problems = defineProblems('webhook', {
  refused: { status: 502, title: 'The receiver refused the message.' },
  deferred: { status: 502, title: 'The receiver does not take the message now.', retryable: true },
});

const config = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://',
      maxLength: 2000,
      description: 'Where to post to. Private addresses must be allowed in the setting egress.allow of the hub.',
    }),
    secret: Type.String({
      default: '',
      maxLength: 200,
      secret: true,
      description: 'Signs each message, so that the receiver can tell that it is ours; empty sends it unsigned.',
    }),
    authorization: Type.String({
      default: '',
      maxLength: 2000,
      pattern: '^[\\x20-\\x7e]*$',
      secret: true,
      description: 'Value of the Authorization header, for a receiver that wants one.',
    }),
  },
  { additionalProperties: false },
);

/** The body of a post; fields are only ever added. */
function bodyOf({ key, threads, state, severity, title, text, facts, url, at }: Message): string {
  const labelled = facts.map(([label, value]) => ({ label, value }));
  return JSON.stringify({ version: 1, key, threads, state, severity, title, text, facts: labelled, url, at });
}

const MAY_PASS = new Set([408, 425, 429]);

/** A signed post to a web address. */
export const webhook = defineChannel({
  name: 'webhook',
  summary: 'Posts signed JSON to a web address.',
  config,
  secrets: ['secret', 'authorization'],
  destination: ['url'],
  create({ config: { url, secret, authorization }, fetch, clock }) {
    return {
      async send(message, signal) {
        const body = bodyOf(message);
        const headers = {
          'content-type': 'application/json',
          'user-agent': 'outrider',
          'x-outrider-delivery': message.key,
          ...(secret === '' ? {} : { 'x-outrider-signature': sign(secret, clock.now(), body) }),
          ...(authorization === '' ? {} : { authorization }),
        };
        const { status, text } = await fetch(url, { method: 'POST', headers, body, signal });
        if (status >= 200 && status < 300) return;
        const said = text.replace(/\s+/g, ' ').slice(0, 200);
        const detail = `${new URL(url).host} answered ${status}${said === '' ? '' : `: ${said}`}`;
        if (status >= 500 || MAY_PASS.has(status)) throw problems.deferred(detail);
        if (status >= 300 && status < 400)
          throw problems.refused(`${detail}. Redirects are not followed: set the address that it leads to.`);
        throw problems.refused(detail);
      },
    };
  },
});
