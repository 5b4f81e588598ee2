import { statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Settings } from '#sdk';
import type { AgentSettings } from '../config.ts';
import { judgeJournal } from '../journal/index.ts';

/** What of this machine settings are compared with. */
export interface Machine {
  cores: number;
  memory: number;
  /** Bytes of the disk that a folder lies on; undefined where nobody knows. */
  disk(folder: string): number | undefined;
}

/** This one. */
export const thisMachine: Machine = {
  cores: availableParallelism(),
  memory: totalmem(),
  disk(folder) {
    for (let at = folder; ; at = dirname(at)) {
      try {
        const { blocks, bsize } = statfsSync(at);
        return blocks * bsize;
      } catch {
        if (at === dirname(at)) return undefined; // Nothing of the path is there.
      }
    }
  },
};

const isSaid = (tree: Settings, section: string): boolean => {
  const own = tree[section];
  return typeof own === 'object' && own !== null && Object.keys(own).length > 0;
};

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Limits that this machine cannot reach. */
function ofLimits({ budgets, spool, data }: AgentSettings, { cores, memory, disk }: Machine): string[] {
  const size = disk(data);
  const said: [boolean, string][] = [
    [budgets.cpu > cores, `budgets.cpu: is no limit, because this machine has ${cores} cores`],
    [budgets.memory > memory, `budgets.memory: is no limit, because this machine has ${gigabytes(memory)}`],
    [
      budgets.seriesPerMetric > budgets.series,
      'budgets.seriesPerMetric: is no limit, because it is larger than budgets.series',
    ],
    [
      size !== undefined && spool.limit > size,
      `spool.limit: is no limit, because the disk of ${data} holds ${gigabytes(size ?? 0)}`,
    ],
  ];
  return said.filter(([isSo]) => isSo).map(([, words]) => words);
}

/** Sections whose settings do nothing because of another setting, and limits that are none. `tree` is what the file says. */
export function warningsOfMachine(settings: AgentSettings, tree: Settings, machine: Machine = thisMachine): string[] {
  const { journal, link, logs, ownLog, redact, pushed } = settings;
  const { isRead, reason } = judgeJournal(journal);
  const nats = (tree['link'] as Settings | null | undefined)?.['nats'];
  const trial = (tree['pushed'] as Settings | null | undefined)?.['trialSeconds'];
  const said: [boolean, string][] = [
    [isSaid(tree, 'journal') && !isRead && journal.read !== 'off', `journal: has no effect here: ${reason}`],
    [
      journal.read === 'off' && Object.keys((tree['journal'] ?? {}) as object).length > 1,
      'journal: its other settings have no effect, because journal.read is off',
    ],
    [
      nats !== undefined && link.transport !== 'nats',
      `link.nats: has no effect, because link.transport is ${link.transport}; write transport: nats`,
    ],
    [trial !== undefined && !pushed.accept, 'pushed.trialSeconds: has no effect, because pushed.accept is false'],
    [logs.length === 0 && !isRead, `logs: no log is read but the agent’s own${ownLog ? '' : ', and not even that'}`],
    [!redact.secrets, 'redact.secrets: is off, so passwords, keys and tokens in logs leave this machine as they stand'],
  ];
  return [...said.filter(([isSo]) => isSo).map(([, words]) => words), ...ofLimits(settings, machine)];
}
