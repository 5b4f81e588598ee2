import { createTransport } from 'nodemailer';
import { Type, type Static } from 'typebox';
import { defineChannel, defineProblems, reasonOf, type Message } from '#sdk';
import { letterOf } from './letter.ts';

const problems = defineProblems('mail', {
  refused: { status: 502, title: 'The mail server refused the message.' },
  noStarttls: { status: 502, title: 'The mail server does not switch to TLS.' },
  deferred: { status: 502, title: 'The mail server does not take the message now.', retryable: true },
  unreachable: { status: 502, title: 'The mail server cannot be reached.', retryable: true },
});

/** `name@host` or `Words <name@host>`, on one line: nothing that could begin another header. */
const ADDRESS = '^([^<>,;\\p{Cc}]*<[^<>\\s,;@\\p{Cc}]+@[^<>\\s,;@\\p{Cc}]+>|[^<>\\s,;@\\p{Cc}]+@[^<>\\s,;@\\p{Cc}]+)$';

const config = Type.Object(
  {
    host: Type.String({
      minLength: 1,
      maxLength: 253,
      pattern: '^[^\\s/@]+$',
      description: 'Name or address of the mail server.',
    }),
    port: Type.Integer({
      default: 587,
      minimum: 1,
      maximum: 65535,
      description: 'Its port: 587 with STARTTLS, 465 with TLS, 25 without.',
    }),
    tls: Type.Enum(['starttls', 'tls', 'none'], {
      default: 'starttls',
      description:
        'starttls: must switch to TLS before anything is said; tls: TLS from the start; none: everything is readable on the way.',
    }),
    verifyCertificate: Type.Boolean({
      default: true,
      description:
        'Whether the server must prove who it is. Switch off only for a server with a certificate of its own making.',
    }),
    user: Type.String({ default: '', maxLength: 320, description: 'Name to sign in with; empty to send without.' }),
    password: Type.String({ default: '', maxLength: 1000, secret: true, description: 'Its password.' }),
    from: Type.String({
      pattern: ADDRESS,
      maxLength: 320,
      description: 'The sender: outrider@example.org or Outrider <outrider@example.org>.',
    }),
    to: Type.Array(Type.String({ pattern: ADDRESS, maxLength: 320 }), {
      minItems: 1,
      maxItems: 50,
      description: 'Who gets the mails.',
    }),
  },
  { additionalProperties: false },
);
type MailConfig = Static<typeof config>;

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
}

/** What a failed try means: 5yz is final, 4yz and whatever the network does may pass (RFC 5321, 4.2.1). */
function problemOf(error: SmtpError, { host, port, tls }: MailConfig): Error {
  const said = error.response ?? reasonOf(error);
  // A server that answers EHLO with an error knows no extension, so no STARTTLS either.
  const lacksStarttls = error.command === 'STARTTLS' || error.command === 'EHLO';
  if (tls === 'starttls' && lacksStarttls && (error.responseCode ?? 0) >= 500)
    return problems.noStarttls(
      `${host}:${port} does not offer STARTTLS, or refuses it (${said}). Set tls to tls for a server that speaks TLS from the start, often on port 465, or to none if everything may be readable on the way.`,
      { cause: error },
    );
  const detail = `${host}:${port} answered: ${said}`;
  if (error.responseCode !== undefined && error.responseCode >= 500) return problems.refused(detail, { cause: error });
  if (error.responseCode !== undefined) return problems.deferred(detail, { cause: error });
  if (error.code === 'EENVELOPE' || error.code === 'EAUTH')
    return problems.refused(`${host}:${port}: ${said}`, { cause: error });
  return problems.unreachable(`${host}:${port}: ${said}`, { cause: error });
}

function transportFor({ host, port, tls, verifyCertificate, user, password }: MailConfig) {
  return createTransport({
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { rejectUnauthorized: verifyCertificate },
    auth: user === '' ? undefined : { user, pass: password },
    connectionTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Rejects when the signal aborts: a connection cannot be called back, but nobody waits for it any longer. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('it took too long'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Mail through an SMTP server. Mail servers on private addresses are normal, so they are not guarded: an administrator sets them. */
export const mail = defineChannel({
  name: 'mail',
  summary: 'Sends a mail through an SMTP server; at most one a host and minute.',
  config,
  secrets: ['password'],
  destination: ['host', 'port', 'tls', 'verifyCertificate'],
  spacingSeconds: 60,
  create({ config: settings, log }) {
    const domain = /@([^>@]+)>?$/.exec(settings.from)?.[1] ?? 'outrider.invalid';
    return {
      async send(message: Message, signal) {
        const transport = transportFor(settings);
        try {
          const { from, to } = settings;
          const sent = await until(transport.sendMail({ from, to, ...letterOf(message, domain) }), signal);
          if (sent.rejected.length > 0)
            log.warn('a mail server refused some of the receivers', { refused: sent.rejected.length });
        } catch (error) {
          throw problemOf(error as SmtpError, settings);
        } finally {
          transport.close();
        }
      },
    };
  },
});
