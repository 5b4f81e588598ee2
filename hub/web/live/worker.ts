import { openEvents } from '../api/events.ts';
import { LIVE_EVENTS } from './events.ts';
import { createShare, type PageWords } from './share.ts';

/** Runs once a browser and holds the one stream that all its pages share. */
const share = createShare((path, handlers) => openEvents(path, handlers), LIVE_EVENTS);

interface Connected extends Event {
  ports: readonly MessagePort[];
}

addEventListener('connect', (event) => {
  const [port] = (event as Connected).ports;
  if (port === undefined) return;
  const page = { tell: (words: unknown) => port.postMessage(words) };
  port.onmessage = ({ data }: MessageEvent<PageWords>) => share.hear(page, data);
});
