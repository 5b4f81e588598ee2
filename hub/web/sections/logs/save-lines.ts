import type { Line } from './line-book.ts';

/** Forms in which lines are saved. */
export type SavedForm = 'log' | 'ndjson';

/** The lines as one text, oldest first. */
export function savedText(lines: readonly Line[], form: SavedForm, hostName: (id: string) => string): string {
  const rows = lines.map(({ timeMs, level, host, source, text, truncated, attributes }) => {
    const time = new Date(timeMs).toISOString();
    if (form === 'log') return `${time} ${hostName(host)} ${source} ${text.replaceAll('\n', '\\n')}`;
    return JSON.stringify({ time, level, host: hostName(host), hostId: host, source, text, truncated, attributes });
  });
  return rows.map((row) => `${row}\n`).join('');
}

/** Hands the lines to the browser as a file. */
export function saveLines(lines: readonly Line[], form: SavedForm, hostName: (id: string) => string): void {
  const type = form === 'log' ? 'text/plain' : 'application/x-ndjson';
  const url = URL.createObjectURL(new Blob([savedText(lines, form, hostName)], { type }));
  const link = document.createElement('a');
  const stamp = new Date(lines.at(-1)?.timeMs ?? 0).toISOString().slice(0, 19).replaceAll(':', '-');
  link.href = url;
  link.download = `lines-until-${stamp}Z.${form}`;
  link.click();
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
