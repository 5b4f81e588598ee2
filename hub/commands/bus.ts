import type { BusStatus } from '../ports/bus.ts';
import { commandHint } from '../command-hint.ts';
import { askHub } from './control-client.ts';

const inMb = (bytes: number): string => `${Math.round(bytes / 1e5) / 10} MB`;

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, n) => cell.padEnd(widths[n] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** What waits on the bus and what was put aside, for people or as JSON. */
export async function busStatus(dataFolder: string, asJson: boolean): Promise<string> {
  const status = await askHub<BusStatus>(dataFolder, '/bus/status');
  if (asJson) return `${JSON.stringify(status, null, 2)}\n`;
  const { messages, bytes, maxBytes, subscribers, deadLetters } = status;
  const waiting = subscribers.map(({ subscriber, subject, pending, again }) => [
    subscriber,
    subject,
    String(pending),
    String(again),
  ]);
  const dead = deadLetters.map(({ subscriber, subject, count, reason }) => [
    subscriber,
    subject,
    String(count),
    reason,
  ]);
  const parts = [
    `${messages} messages, ${inMb(bytes)} of ${inMb(maxBytes)}\n`,
    columns([['subscriber', 'news', 'waiting', 'tried again'], ...waiting]),
    dead.length === 0
      ? 'Nothing was put aside.\n'
      : `Put aside (${commandHint('bus replay', dataFolder)} hands them out again):\n${columns([['subscriber', 'news', 'count', 'newest reason'], ...dead])}`,
  ];
  return parts.join('\n');
}

/** Hands out again what was put aside, and says how much. */
export async function busReplay(
  dataFolder: string,
  wish: { subscriber?: string; limit: string; dryRun?: boolean; json?: boolean },
): Promise<string> {
  const { subscriber, limit, dryRun = false, json } = wish;
  const count = await askHub<number>(dataFolder, '/bus/replay', { subscriber, limit: Number(limit), dryRun });
  if (json === true) return `${JSON.stringify({ count, dryRun })}\n`;
  const what = count === 1 ? '1 message' : `${count} messages`;
  return dryRun ? `${what} would be handed out again\n` : `${what} handed out again\n`;
}
