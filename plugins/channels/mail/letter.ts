import { createHash } from 'node:crypto';
import type { Message } from '#sdk';

/** A mail, before it becomes bytes. Nothing in it holds a line break where a header could begin. */
export interface Letter {
  subject: string;
  text: string;
  html: string;
  messageId: string;
  references: string[];
  date: Date;
  headers: Record<string, string>;
}

const SUBJECT_LENGTH = 200;
const COLOURS = { critical: '#b3261e', warning: '#9a6700', info: '#0b57d0' };

/** One line without control characters. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, SUBJECT_LENGTH);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function plain({ title, text, facts, url }: Message): string {
  const lines = facts.map(([label, value]) => `${label}: ${value}`);
  return [title, '', text, ...(lines.length === 0 ? [] : ['', ...lines]), '', url, ''].join('\n');
}

function html(message: Message, mark: string): string {
  const { title, text, facts, url, severity, state } = message;
  const colour = state === 'firing' ? COLOURS[severity] : '#146c2e';
  const rows = facts
    .map(
      ([label, value]) =>
        `<tr><td style="padding:2px 16px 2px 0;color:#555">${escapeHtml(label)}</td><td>${escapeHtml(value)}</td></tr>`,
    )
    .join('');
  return [
    '<!doctype html><html><body style="font:15px/1.5 system-ui,sans-serif;color:#111;margin:16px">',
    `<p style="margin:0;color:${colour};font-weight:600">${escapeHtml(mark)}</p>`,
    `<h1 style="font-size:18px;margin:4px 0 12px">${escapeHtml(title)}</h1>`,
    ...text.split('\n').map((line) => `<p style="margin:0 0 8px">${escapeHtml(line)}</p>`),
    rows === '' ? '' : `<table style="border-collapse:collapse;margin:12px 0">${rows}</table>`,
    /^https?:\/\//.test(url) ? `<p><a href="${escapeHtml(url)}">Look at it</a></p>` : '',
    '</body></html>',
  ].join('');
}

/** An id that is the same for every try at the same news: receivers drop doubles by it. */
function idOf(kind: string, key: string, domain: string): string {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 32);
  return `<${kind}.${hash}@${domain}>`;
}

/** Writes a message as a mail. `domain` is the sender's: ids of mails end in it. */
export function letterOf(message: Message, domain: string): Letter {
  const mark = message.state === 'firing' ? message.severity : message.state;
  return {
    subject: oneLine(`[${mark}] ${message.title}`),
    text: plain(message),
    html: html(message, mark),
    messageId: idOf('news', message.key, domain),
    // Threads have no first mail of their own: mail programs join what refers to the same id all the same.
    references: message.threads.slice(0, 20).map((thread) => idOf('thread', thread, domain)),
    date: new Date(message.at),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Outrider-State': message.state,
      'X-Outrider-Severity': message.severity,
    },
  };
}
