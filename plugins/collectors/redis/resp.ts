/** One answer of Redis: a text, or the reason why there is none. */
export type Reply = { text: string } | { fault: string };

/** A command as Redis takes it: a list of texts with their lengths. */
export function encodeCommand(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

/** The first answer in what has come so far and where the next one begins; `undefined` while it is not whole. Lists are never asked for. */
export function decodeReply(come: Buffer): { reply: Reply; end: number } | undefined {
  const lineEnd = come.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const line = come.toString('utf8', 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(come[0] ?? 0)) {
    case '+':
    case ':':
      return { reply: { text: line }, end: next };
    case '-':
      return { reply: { fault: line }, end: next };
    case '$': {
      const length = /^\d{1,9}$/.test(line) ? Number(line) : NaN;
      if (Number.isNaN(length)) return { reply: { fault: 'the answer has no length' }, end: next };
      const end = next + length + 2;
      return come.length < end ? undefined : { reply: { text: come.toString('utf8', next, end - 2) }, end };
    }
    default:
      return { reply: { fault: 'what answers there does not speak the protocol of Redis' }, end: next };
  }
}
