import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** How a mail server behaves. */
export interface MailServerOptions {
  port?: number;
  /** Asked for each mail: why it is refused, or undefined to take it. */
  refuse?: () => { code: number; words: string } | undefined;
  /** Hears who sends and never answers. */
  silent?: boolean;
  /** Answers only when this has resolved. */
  gate?: Promise<void>;
}

/** A real mail server and what it received. */
export interface StartedMailServer {
  port: number;
  mails: ParsedMail[];
  /** How often somebody began to send. */
  tries(): number;
  stop(): Promise<void>;
}

/** Starts a mail server on loopback, without TLS and sign-in. */
export async function startMailServer(given: MailServerOptions = {}): Promise<StartedMailServer> {
  const mails: ParsedMail[] = [];
  let tries = 0;
  const options: SMTPServerOptions = {
    disabledCommands: ['STARTTLS', 'AUTH'],
    closeTimeout: 50,
    onMailFrom(_address, _session, done) {
      tries++;
      const no = given.refuse?.();
      if (given.silent === true) return;
      const answer = (): void => {
        if (no === undefined) done();
        else done(Object.assign(new Error(no.words), { responseCode: no.code }));
      };
      if (given.gate === undefined) answer();
      else void given.gate.then(answer);
    },
    onData(stream, _session, done) {
      simpleParser(stream).then((parsed) => {
        mails.push(parsed);
        done();
      }, done);
    },
  };
  const server = new SMTPServer(options);
  server.on('error', () => undefined); // A client that hangs up is no fault of the server.
  await new Promise<void>((resolve) => server.listen(given.port ?? 0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    tries: () => tries,
    stop: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

/** A post, as it came. */
export interface ReceivedPost {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A real web server that keeps what is posted. */
export interface StartedWebReceiver {
  url: string;
  posts: ReceivedPost[];
  stop(): Promise<void>;
}

/** Starts a web server on loopback; `answer` gives the status and words for each post. */
export async function startWebReceiver(
  answer: (post: ReceivedPost) => { status: number; words?: string } = () => ({ status: 204 }),
): Promise<StartedWebReceiver> {
  const posts: ReceivedPost[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const post = { headers: request.headers, body };
      posts.push(post);
      const { status, words } = answer(post);
      response.writeHead(status).end(words);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posts,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
