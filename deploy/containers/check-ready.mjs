// Asks this container's own hub whether it is ready. Ends with 0 when it is; prints what is missing and ends with 1 when not.
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';

const port = process.env.OUTRIDER_PORT ?? '8080';

/** One question. The certificate is not looked at: it is this container's own, and the question goes to loopback. */
function ask(send, protocol) {
  return new Promise((resolve, reject) => {
    const call = send(`${protocol}://127.0.0.1:${port}/ready`, { rejectUnauthorized: false, timeout: 4000 }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => resolve({ ready: reply.statusCode === 200, text }));
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 4 s')));
    call.on('error', reject).end();
  });
}

try {
  const { ready, text } = await ask(secure, 'https').catch(() => ask(plain, 'http'));
  if (!ready) process.stdout.write(`${text}\n`);
  process.exitCode = ready ? 0 : 1;
} catch (error) {
  process.stdout.write(`not ready: ${error.message}\n`);
  process.exitCode = 1;
}
