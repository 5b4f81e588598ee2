import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, type Clock } from '#sdk';
import { commandHint } from '../command-hint.ts';
import { problems } from '../errors.ts';
import {
  askForReplay,
  inspectSpool,
  listQuarantine,
  quarantineOf,
  type InspectedLane,
  type Inspection,
} from '../spool/index.ts';
import { isRunning, readStatus } from '../status.ts';

/** How long a running agent is given to put batches back. */
const TAKEN_MS = 15_000;
const LOOK_MS = 200;

const time = (ms: number): string => (ms === 0 ? '?' : new Date(ms).toISOString());
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The lanes of all segments, an epoch and lane a row, oldest first. */
function rowsOf({ segments }: Inspection): InspectedLane[] {
  const rows = new Map<string, InspectedLane>();
  for (const lane of segments.flatMap(({ lanes }) => lanes)) {
    const key = `${lane.epoch} ${lane.lane}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { ...lane });
    else {
      for (const name of ['batches', 'waiting', 'lines', 'bytes'] as const) row[name] += lane[name];
      row.oldestMs = Math.min(row.oldestMs, lane.oldestMs);
      row.newestMs = Math.max(row.newestMs, lane.newestMs);
    }
  }
  return [...rows.values()];
}

function tableOf(inspection: Inspection, dataFolder: string): string {
  const { folder, bytes, segments, quarantine } = inspection;
  const damaged = segments.reduce((sum, { damagedBytes }) => sum + damagedBytes, 0);
  const lanes = rowsOf(inspection).map(
    ({ epoch, lane, batches, waiting, lines, bytes: size, oldestMs, newestMs }) =>
      `  epoch ${epoch} ${lane.padEnd(8)} ${batches} batches, ${waiting} wait for the hub; ${lines} lines (${megabytes(size)}); ${time(oldestMs)} to ${time(newestMs)}\n`,
  );
  const refused = quarantine.map(
    ({ id, reason, refusedMs, timeMs, lines, sources, isAsked }) =>
      `  ${id}  ${lines} lines${sources.length === 0 ? '' : ` of ${sources.slice(0, 3).join(', ')}`}${sources.length > 3 ? ' …' : ''}; put ${time(timeMs)}, refused ${time(refusedMs)}: ${reason}${isAsked ? ' (is to be sent again)' : ''}\n`,
  );
  return [
    `spool         ${folder}\n`,
    `segments      ${segments.length}, ${megabytes(bytes)}${damaged === 0 ? '' : `; ${damaged} bytes at the end of one cannot be read`}\n`,
    ...lanes,
    `quarantine    ${quarantine.length === 0 ? 'empty' : `${quarantine.length} batches; send them again with: ${commandHint('spool replay --all', dataFolder)}`}\n`,
    ...refused,
  ].join('');
}

function spoolOf(dataFolder: string): string {
  const folder = join(dataFolder, 'spool');
  try {
    readdirSync(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw problems.notReadable(`${folder} is closed to you. Run this as the user of the agent, or with sudo.`, {
        cause: error,
      });
  }
  throw problems.noSpool(`${dataFolder} holds no spool. If the agent has another data folder, name it with --data.`);
}

/** Says what lies in the spool and the quarantine of a data folder, as a table or as JSON. */
export function showSpool(dataFolder: string, json: boolean): string {
  const inspection = inspectSpool(spoolOf(dataFolder));
  return json ? `${JSON.stringify(inspection, null, 2)}\n` : tableOf(inspection, dataFolder);
}

/** What is to be put back: named batches, or all. */
export interface ReplayWish {
  ids: readonly string[];
  all: boolean;
}

function idsOf(dataFolder: string, { ids, all }: ReplayWish): string[] {
  const folder = quarantineOf(spoolOf(dataFolder));
  const show = commandHint('spool show', dataFolder);
  const known = listQuarantine(folder).map(({ id }) => id);
  if (all) return known;
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0)
    throw problems.notInQuarantine(
      `There is no ${unknown.join(', ')} in ${folder}. To see what there is, run: ${show}`,
    );
  if (ids.length === 0)
    throw problems.notInQuarantine(`Name a batch of the quarantine, or say --all. To see what there is, run: ${show}`);
  return [...ids];
}

/** Has batches of the quarantine sent again, by the agent if it runs, else at its next start; says what happened. */
export async function replayBatches(dataFolder: string, wish: ReplayWish, clock: Clock = systemClock): Promise<string> {
  const folder = quarantineOf(spoolOf(dataFolder));
  const ids = idsOf(dataFolder, wish);
  if (ids.length === 0) return 'The quarantine is empty.\n';
  for (const id of ids) askForReplay(folder, id);
  if (!isRunning(readStatus(dataFolder), clock.now()))
    return `${ids.length} batches are sent again once the agent is started: ${ids.join(', ')}\n`;
  const left = (): string[] => {
    const there = new Set(listQuarantine(folder).flatMap(({ id, isAsked }) => (isAsked ? [id] : [])));
    return ids.filter((id) => there.has(id));
  };
  const late = clock.monotonic() + TAKEN_MS;
  while (left().length > 0 && clock.monotonic() < late) await clock.sleep(LOOK_MS);
  const still = left();
  const refused = new Set(listQuarantine(folder).map(({ id }) => id));
  const done = ids.filter((id) => !refused.has(id));
  const bad = ids.filter((id) => refused.has(id) && !still.includes(id));
  return [
    ...(done.length === 0 ? [] : [`${done.length} batches are in the spool again: ${done.join(', ')}\n`]),
    ...(bad.length === 0 ? [] : [`${bad.length} are damaged and cannot be sent: ${bad.join(', ')}\n`]),
    ...(still.length === 0
      ? []
      : [`${still.length} wait until the spool has room; the agent takes them then: ${still.join(', ')}\n`]),
  ].join('');
}
