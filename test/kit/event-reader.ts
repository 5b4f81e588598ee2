/** One server-sent event. */
export interface SentEvent<Data = Record<string, unknown>> {
  event: string;
  data: Data;
}

/** A reader of server-sent events, as a browser is one. */
export interface EventReader {
  status: number;
  contentType: string;
  /** Resolves with the first event from now on that was not taken yet and fits; others before it are dropped. */
  next<Data>(event: string, fits?: (data: Data) => boolean): Promise<Data>;
  /** The id of the last event that had one. */
  lastId(): string | undefined;
  close(): void;
}

function parse(block: string): SentEvent | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const [event, data] = [field('event'), field('data')];
  return event === undefined || data === undefined
    ? undefined
    : { event, data: JSON.parse(data) as Record<string, unknown> };
}

/** Opens a stream with a token, or again after the event with an id; with a status that is no success nothing is ever read. */
export async function readEvents(url: string, token: string, lastId?: string): Promise<EventReader> {
  const gone = new AbortController();
  const headers = { authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
  const reply = await fetch(url, { headers, signal: gone.signal });
  const body = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let last = lastId;
  const nextBlock = async (): Promise<string> => {
    for (let end = text.indexOf('\n\n'); ; end = text.indexOf('\n\n')) {
      if (end >= 0) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        return block;
      }
      const part = await body?.read();
      if (part === undefined || part.done) throw new Error('the stream has ended');
      text += part.value;
    }
  };
  return {
    status: reply.status,
    contentType: reply.headers.get('content-type') ?? '',
    async next<Data>(event: string, fits: (data: Data) => boolean = () => true): Promise<Data> {
      for (;;) {
        const block = await nextBlock();
        last = /^id: (.*)$/m.exec(block)?.[1] ?? last;
        const found = parse(block);
        if (found?.event === event && fits(found.data as Data)) return found.data as Data;
      }
    },
    lastId: () => last,
    close: () => gone.abort(),
  };
}
