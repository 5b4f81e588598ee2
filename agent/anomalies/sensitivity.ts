import { create } from '@bufbuild/protobuf';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { DETECTION_LIMIT, DetectionDocument } from '#proto/agent/v1/detection.ts';
import { DetectionReportSchema, type Detection, type DetectionReport } from '#proto/agent/v1/index.ts';
import { checkSettings, reasonOf, writeFileDurably, type Cancel, type Logger } from '#sdk';

const Kept = Type.Object({
  /** A number of 64 bits, as JSON has none. */
  revision: Type.String({ pattern: '^[0-9]{1,20}$' }),
  document: DetectionDocument,
});
type Kept = Static<typeof Kept>;

/** Aliases of models that one word of the hub may have. */
const MOST_MODELS = 4;

/** What passes between the hub and what the agent detects by. */
export interface DetectionExchange {
  /** Takes what the hub gives in the place of all before. */
  take(given: Detection): void;
  /** Says what is in force: now, and whenever that changes. Returns what ends this. */
  watch(tell: (report: DetectionReport) => void): Cancel;
}

/** What it stands on. */
export interface SensitivityGiven {
  dataFolder: string;
  log: Logger;
  /** Whether the agent takes anything of this kind from the hub. */
  accepts(): boolean;
  /** Puts it in force. */
  apply(document: DetectionDocument): void;
}

const fileOf = (dataFolder: string): string => join(dataFolder, 'pushed', 'detection.json');

/** What is kept; undefined where there is nothing, or nothing that can be used: the hub gives it again then. */
function readKept(dataFolder: string): Kept | undefined {
  try {
    if (statSync(fileOf(dataFolder)).size > 2 * DETECTION_LIMIT) return undefined;
    const kept: unknown = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8'));
    return Value.Check(Kept, kept) ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a document; an error with what is wrong in it. */
function documentIn(text: string): DetectionDocument {
  if (text.length > DETECTION_LIMIT) throw new Error(`it is longer than ${DETECTION_LIMIT} characters`);
  const faults: string[] = [];
  const document = checkSettings(DetectionDocument, JSON.parse(text), faults);
  if (faults.length > 0) throw new Error(faults.join('; ').slice(0, 500));
  return document;
}

/** How readily the host and its series speak, as people at the hub have come to want it: taken, kept on the disk, and in force from then on. */
export function createSensitivity({ dataFolder, log, accepts, apply }: SensitivityGiven): DetectionExchange {
  const listeners = new Set<(report: DetectionReport) => void>();
  let kept = readKept(dataFolder);
  let models: Detection['models'] = [];
  if (kept !== undefined && accepts()) apply(kept.document);

  const report = (): DetectionReport =>
    create(DetectionReportSchema, {
      revision: BigInt(kept?.revision ?? 0),
      models: models.slice(0, MOST_MODELS).map(({ version, alias }) => ({
        ...{ version, alias, inUse: false, problem: 'this version of the agent judges by no model of the hub' },
      })),
    });
  return {
    take(given) {
      if (!accepts()) return;
      try {
        const next = { revision: String(given.revision), document: documentIn(given.document) };
        mkdirSync(dirname(fileOf(dataFolder)), { recursive: true, mode: 0o700 });
        writeFileDurably(fileOf(dataFolder), `${JSON.stringify(next)}\n`);
        [kept, models] = [next, given.models];
      } catch (error) {
        log.warn('what the hub gave to detect by cannot be used; what was before stays', { reason: reasonOf(error) });
        return; // The hub gives it again.
      }
      apply(kept.document);
      for (const tell of listeners) tell(report());
    },
    watch(tell) {
      // An agent that says nothing of it is told nothing of it.
      if (!accepts()) return () => undefined;
      listeners.add(tell);
      tell(report());
      return () => void listeners.delete(tell);
    },
  };
}
