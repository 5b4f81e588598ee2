import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { MOST_FEATURES } from '#proto/agent/v1/host-model.ts';
import { reasonOf, writeFileDurably, type Logger } from '#sdk';
import { createDetector, memoryOf, snapshotOf, type Memory } from '../scoring/index.ts';
import { emptyHostMemory, type HostMemory } from './host.ts';
import type { SavedModel } from './models/judges.ts';
import { WINDOW_TUNING, type Places } from './watch.ts';

const MAGIC = 'ORA1';
/** Bytes before the head: magic, CRC32 of what follows, length of the head. */
const PREFIX = 12;
/** A file that is larger is none of ours. */
const MOST_BYTES = 256_000_000;

const Head = Type.Object({
  known: Type.Array(Type.Tuple([Type.String({ maxLength: 100_000 }), Type.Integer({ minimum: 0 }), Type.Number()])),
  host: Type.Object({
    windows: Type.Integer({ minimum: 0 }),
    sum: Type.Number({ minimum: 0 }),
    dearer: Type.Number({ minimum: 0, maximum: 10 }),
    atMs: Type.Number({ minimum: 0 }),
  }),
  /** When the first agent of this data folder started, milliseconds since 1970. */
  sinceMs: Type.Number({ minimum: 0 }),
  templates: Type.Unknown(),
  /** Absent where an older agent wrote this. */
  models: Type.Optional(Type.Unknown()),
});

/** What models had seen; it is held against its schema by itself, so that one that is not sound costs nothing else. */
const SavedModels = Type.Array(
  Type.Object({
    digest: Type.String({ maxLength: 64 }),
    state: Type.Object({
      width: Type.Integer({ minimum: 1, maximum: MOST_FEATURES }),
      memory: Type.Array(Type.Array(Type.Number(), { maxItems: 65_536 }), { maxItems: 64 }),
    }),
  }),
  { maxItems: 8 },
);

/** All that was learnt of the host. */
export interface Learnt extends Places {
  host: HostMemory;
  /** When that began, milliseconds since 1970. */
  sinceMs: number;
  /** Kinds of lines; the miner checks them by itself. */
  templates: unknown;
  /** What models had seen of the host, by the digest of each. */
  models: readonly SavedModel[];
}

const fileOf = (dataFolder: string): string => join(dataFolder, 'anomalies.state');

const nothing = (nowMs: number): Learnt => ({
  ...{ detector: createDetector(WINDOW_TUNING), known: new Map(), host: emptyHostMemory() },
  ...{ sinceMs: nowMs, templates: undefined, models: [] },
});

/** Reads a state; undefined where it is not one that this version wrote whole. */
function stateIn(file: Buffer): { head: Static<typeof Head>; memory: Memory } | undefined {
  if (file.length < PREFIX || file.toString('latin1', 0, 4) !== MAGIC) return undefined;
  if (file.readUInt32LE(4) !== crc32(file.subarray(8))) return undefined;
  const headEnd = PREFIX + file.readUInt32LE(8);
  if (headEnd > file.length) return undefined;
  const head: unknown = JSON.parse(file.toString('utf8', PREFIX, headEnd));
  const memory = memoryOf(file.subarray(headEnd));
  if (!Value.Check(Head, head)) return undefined;
  const isSound = head.known.every(([, place]) => (memory.kinds[place] ?? 0) !== 0);
  return isSound ? { head, memory } : undefined;
}

/** What an earlier run has learnt; nothing where there is none, or it is damaged or of another version: it is learnt anew then. */
export function readMemory(dataFolder: string, log: Logger, nowMs: number): Learnt {
  const path = fileOf(dataFolder);
  try {
    if (statSync(path).size > MOST_BYTES) return nothing(nowMs);
    const state = stateIn(readFileSync(path));
    if (state === undefined) {
      log.warn('what was learnt of this host cannot be read and is learnt anew', { file: path });
      return nothing(nowMs);
    }
    const { head, memory } = state;
    const known = new Map(head.known.map(([key, place, seenMs]) => [key, { place, seenMs }]));
    const models = Value.Check(SavedModels, head.models) ? head.models : [];
    // An event that was open ended with that agent: its evidence opens no other one.
    const host = { ...head.host, sum: 0 };
    const sinceMs = Math.min(head.sinceMs, nowMs);
    return { ...head, host, sinceMs, detector: createDetector(WINDOW_TUNING, memory), known, models };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn('what was learnt of this host cannot be read and is learnt anew', {
        file: path,
        reason: reasonOf(error),
      });
    return nothing(nowMs);
  }
}

/** Writes down what was learnt, all of it or nothing. Some 4 kB for each series. */
export function writeMemory(dataFolder: string, learnt: Learnt): void {
  const { detector, known, host, sinceMs, templates, models } = learnt;
  const places = [...known].map(([key, { place, seenMs }]) => [key, place, seenMs]);
  const json = Buffer.from(JSON.stringify({ known: places, host, sinceMs, templates: templates ?? null, models }));
  const prefix = Buffer.alloc(PREFIX);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt32LE(json.length, 8);
  const file = Buffer.concat([prefix, json, snapshotOf(detector.memory())]);
  file.writeUInt32LE(crc32(file.subarray(8)), 4);
  writeFileDurably(fileOf(dataFolder), file);
}
