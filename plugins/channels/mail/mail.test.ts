import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, test } from 'vitest';
import { checkSettings, silentLogger, systemClock, type Message } from '#sdk';
import { mail } from './index.ts';
import { letterOf } from './letter.ts';

const MESSAGE: Message = {
  key: 'firing-1:firing',
  threads: ['firing-1'],
  state: 'firing',
  severity: 'critical',
  title: 'Disk /data on web-1 is 96 % full',
  text: 'Value 96 %, threshold 95 %, for 2 min.',
  facts: [['Value', '96 %'], ['Mount <point>', '/data & more']],
  url: 'http://127.0.0.1:8080/alerts',
  at: 1_700_000_000_000,
}; // prettier-ignore

let server: SMTPServer | undefined;
afterEach(async () => {
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(resolve)));
  server = undefined;
});

/** A real mail server; gives its port and what it received. */
async function startServer(
  options: SMTPServerOptions,
): Promise<{ port: number; received: ParsedMail[]; secure: boolean[] }> {
  const received: ParsedMail[] = [];
  const secure: boolean[] = [];
  const made = new SMTPServer({
    authOptional: true,
    ...options,
    onData(stream, session, done) {
      secure.push(session.secure);
      simpleParser(stream).then((parsed) => {
        received.push(parsed);
        done();
      }, done);
    },
  });
  made.on('error', () => undefined);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return { port: (made.server.address() as AddressInfo).port, received, secure };
}

function channelTo(port: number, settings: Record<string, unknown> = {}) {
  const faults: string[] = [];
  const tree = {
    host: '127.0.0.1',
    port,
    tls: 'none',
    from: 'Outrider <outrider@example.org>',
    to: ['ops@example.org'],
    ...settings,
  };
  const config = checkSettings(mail.config, tree, faults);
  expect(faults).toEqual([]);
  const fetch = () => Promise.reject(new Error('mail fetches nothing'));
  return mail.create({ config, log: silentLogger, clock: systemClock, fetch });
}

const signal = new AbortController().signal;
const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode });

test('a message arrives with its words, its facts and its place', async () => {
  const { port, received } = await startServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
  await channelTo(port, { to: ['ops@example.org', 'Night watch <night@example.org>'] }).send(MESSAGE, signal);
  const [letter] = received;
  expect(letter?.subject).toBe('[critical] Disk /data on web-1 is 96 % full');
  expect(letter?.text).toContain('Mount <point>: /data & more');
  expect(letter?.html).toContain('Mount &#60;point&#62;');
  expect(letter?.headers.get('auto-submitted')).toBe('auto-generated');
  expect(JSON.stringify(letter?.to)).toContain('night@example.org');
});

test('firing and resolved of one alert are one thread, and a second try is the same mail', async () => {
  const { port, received } = await startServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
  const channel = channelTo(port);
  await channel.send(MESSAGE, signal);
  await channel.send(MESSAGE, signal);
  await channel.send({ ...MESSAGE, key: 'firing-1:resolved', state: 'resolved' }, signal);
  const [first, again, resolved] = received;
  expect(again?.messageId).toBe(first?.messageId);
  expect(resolved?.messageId).not.toBe(first?.messageId);
  expect(resolved?.references).toEqual(first?.references);
  expect(first?.messageId).toMatch(/@example\.org>$/);
});

test('with STARTTLS nothing is said before the connection is encrypted', async () => {
  const { port, received, secure } = await startServer({ disabledCommands: ['AUTH'] });
  await channelTo(port, { tls: 'starttls', verifyCertificate: false }).send(MESSAGE, signal);
  expect([received.length, secure]).toEqual([1, [true]]);
});

test('a server that offers no STARTTLS, or proves nothing, gets no mail', async () => {
  const plain = await startServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
  await expect(channelTo(plain.port, { tls: 'starttls' }).send(MESSAGE, signal)).rejects.toMatchObject({
    code: 'mail.no-starttls',
    retryable: false,
    message: expect.stringMatching(/does not offer STARTTLS.*tls for .*none if/) as string,
  });
  await new Promise<void>((resolve) => server?.close(resolve));
  const own = await startServer({ disabledCommands: ['AUTH'] });
  await expect(channelTo(own.port, { tls: 'starttls' }).send(MESSAGE, signal)).rejects.toMatchObject({
    code: 'mail.unreachable',
  });
  expect([...plain.received, ...own.received]).toEqual([]);
});

test('the right password is taken, and a wrong one is not tried again', async () => {
  const { port, received } = await startServer({
    authOptional: false,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'outrider' && password === 'right' ? done(null, { user: username }) : done(new Error('no')),
  });
  await channelTo(port, { user: 'outrider', password: 'right' }).send(MESSAGE, signal);
  expect(received).toHaveLength(1);
  const wrong = channelTo(port, { user: 'outrider', password: 'wrong' }).send(MESSAGE, signal);
  await expect(wrong).rejects.toMatchObject({ code: 'mail.refused', retryable: false });
});

test.each([
  [451, 'try later', 'mail.deferred', true],
  [550, 'no such person', 'mail.refused', false],
])('answer %d is told on, and says whether to try again', async (responseCode, words, code, retryable) => {
  const { port } = await startServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: (_address, _session, done) => done(refusal(responseCode, words)),
  });
  await expect(channelTo(port).send(MESSAGE, signal)).rejects.toMatchObject({
    code,
    retryable,
    message: expect.stringContaining(words) as string,
  });
});

test('a server that is not there may be there later', async () => {
  const { port } = await startServer({});
  await new Promise<void>((resolve) => server?.close(resolve));
  server = undefined;
  await expect(channelTo(port).send(MESSAGE, signal)).rejects.toMatchObject({
    code: 'mail.unreachable',
    retryable: true,
  });
});

test('a server that says nothing is given up when the time is over', async () => {
  const { port } = await startServer({ disabledCommands: ['STARTTLS', 'AUTH'], onMailFrom: () => undefined });
  const sending = channelTo(port).send(MESSAGE, AbortSignal.timeout(100));
  await expect(sending).rejects.toMatchObject({ code: 'mail.unreachable' });
});

test.each([
  ['from', 'a@example.org\r\nBcc: evil@example.org'],
  ['from', 'no address'],
  ['to', ['a@example.org, b@example.org']],
  ['to', ['x\n<a@example.org>']],
  ['to', []],
  ['host', 'mail.example.org/x'],
])('settings in which %s is %j are refused', (key, value) => {
  const faults: string[] = [];
  checkSettings(mail.config, { host: 'mail', from: 'a@example.org', to: ['b@example.org'], [key]: value }, faults);
  expect(faults).not.toEqual([]);
});

test('no words of a message can begin a header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (title, key) => {
      const { subject, messageId, references, headers } = letterOf(
        { ...MESSAGE, title, key, threads: [title] },
        'example.org',
      );
      for (const value of [subject, messageId, ...references, ...Object.values(headers)])
        expect(value).not.toMatch(/[\r\n\0]/);
    }),
  );
});

test('a subject with line breaks stays one header in the mail itself', async () => {
  const { port, received } = await startServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
  await channelTo(port).send({ ...MESSAGE, title: 'x\r\nBcc: evil@example.org\r\n\r\nbody' }, signal);
  expect(received[0]?.bcc).toBeUndefined();
  expect(received[0]?.subject).toContain('Bcc: evil@example.org');
});
