import { create } from '@bufbuild/protobuf';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { DETECTION_LIMIT, DetectionDocument } from '#proto/agent/v1/detection.ts';
import { DetectionReportSchema, type Detection, type DetectionReport } from '#proto/agent/v1/index.ts';
import { checkSettings, reasonOf, type Cancel, type Logger } from '#sdk';
import { keptFile, pushedFolder } from '../pushed/index.ts';
import { createGivenModels, KeptModels } from './models/given.ts';
import type { ModelJudges } from './models/judges.ts';
import { openModelStore } from './models/store.ts';

const Kept = Type.Object({
  /** A number of 64 bits, as JSON has none. 0: the hub is to give it again. */
  revision: Type.String({ pattern: '^[0-9]{1,20}$' }),
  document: DetectionDocument,
  /** Absent where an older agent wrote this. */
  models: Type.Optional(KeptModels),
});
type Kept = Static<typeof Kept>;

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
  /** Where the models of the hub take their places. */
  judges: ModelJudges;
}

/** Reads a document; an error with what is wrong in it. */
function documentIn(text: string): DetectionDocument {
  if (text.length > DETECTION_LIMIT) throw new Error(`it is longer than ${DETECTION_LIMIT} characters`);
  const faults: string[] = [];
  const document = checkSettings(DetectionDocument, JSON.parse(text), faults);
  if (faults.length > 0) throw new Error(faults.join('; ').slice(0, 500));
  return document;
}

/** How readily the host and its series speak, as people at the hub have come to want it, and by which models: taken, kept on the disk, and in force from then on. */
export function createSensitivity({ dataFolder, log, accepts, apply, judges }: SensitivityGiven): DetectionExchange {
  const listeners = new Set<(report: DetectionReport) => void>();
  const file = keptFile(dataFolder, 'detection.json', Kept);
  const store = openModelStore(join(pushedFolder(dataFolder), 'models'));
  let kept = accepts() ? file.read() : undefined;
  const models = createGivenModels(store, judges, kept?.models);
  /** True while models take their places one after another. */
  let isBusy = false;
  if (kept !== undefined) apply(kept.document);

  const report = (): DetectionReport => {
    const own = judges.judging() === 'own' ? judges.seated('own') : undefined;
    const ownState =
      own === undefined ? [] : [{ version: own.document.version, alias: 'own', inUse: true, problem: '' }];
    return create(DetectionReportSchema, {
      revision: models.isWhole() ? BigInt(kept?.revision ?? 0) : 0n,
      models: [...models.report(), ...ownState],
    });
  };
  const settle = (): void => {
    try {
      const now = models.kept();
      if (kept !== undefined && JSON.stringify(kept.models) !== JSON.stringify(now))
        file.write({ ...kept, models: now });
      if (kept !== undefined) kept = { ...kept, models: now };
      models.tidy();
    } catch (error) {
      log.warn('which models judge could not be written down', { reason: reasonOf(error) });
    }
    for (const tell of listeners) tell(report());
  };
  judges.onChange(() => {
    if (!isBusy) settle();
  });
  return {
    take(given) {
      if (!accepts()) return;
      isBusy = true;
      try {
        const document = documentIn(given.document);
        const change = models.prepare(given.models);
        const revision = change.isWhole ? String(given.revision) : '0';
        const next = { revision, document, models: { ...models.kept(), named: change.named } };
        file.write(next);
        kept = next;
        change.apply();
      } catch (error) {
        log.warn('what the hub gave to detect by cannot be used; what was before stays', { reason: reasonOf(error) });
        return; // The hub gives it again.
      } finally {
        isBusy = false;
      }
      apply(kept.document);
      settle();
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
