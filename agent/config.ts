import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LOG_LEVELS, type CollectorDefinition, type unknownVariables } from '#sdk';
import { Type, type Static, type TObject } from 'typebox';
import { BudgetSettings } from './budgets/index.ts';
import { JournalSettings } from './journal/index.ts';
import { collectorSettings } from './collectors.ts';
import { dropRules, lineSettings, redactSettings } from './lines/index.ts';
import { LinkConfig } from './link/config.ts';
import { PushedConfig } from './pushed/config.ts';
import type { Pushed } from './pushed/kept.ts';

/** Where the agent keeps its identity, spool and log unless told otherwise. */
export function defaultDataFolder(): string {
  return process.getuid?.() === 0 ? '/var/lib/outrider-agent' : join(homedir(), '.local', 'share', 'outrider-agent');
}

const TailSet = Type.Object(
  {
    include: Type.Array(Type.String({ minLength: 1 }), { description: 'Globs of files to follow.', minItems: 1 }),
    exclude: Type.Array(Type.String({ minLength: 1 }), { description: 'Globs of files to leave out.', default: [] }),
    start: Type.Enum(['saved', 'end', 'beginning'], {
      description:
        'Where a file is read from when the agent starts. saved: where it was read to; a file without such a place, and older than the last run, from its end. beginning: the same, but such a file from its beginning. end: always from its end, so that what was written while no agent ran is left out. Files that appear later are read from their beginning.',
      default: 'saved',
    }),
    ...lineSettings,
  },
  { additionalProperties: false },
);

const settings = {
  data: Type.String({ description: 'Folder for identity, spool and log.', default: defaultDataFolder() }),
  labels: Type.Record(Type.String(), Type.String(), {
    description:
      'Labels with which this host joins the hub; those of its join token win. A change counts when it joins anew.',
    default: {},
  }),
  log: Type.Object(
    { level: Type.Enum([...LOG_LEVELS], { description: 'The least level that is written.', default: 'info' }) },
    { additionalProperties: false, default: {} },
  ),
  logs: Type.Array(TailSet, {
    description:
      'Log files to follow. A list that is given takes the place of this one: name also what is to be followed of it.',
    default: [
      { include: ['/var/log/*.log', '/var/log/syslog', '/var/log/messages'] },
      // Links lead from one to the other where Kubernetes runs on Docker: the first name counts, and says more.
      { include: ['/var/log/pods/*/*/*.log'] },
      { include: ['/var/lib/docker/containers/*/*-json.log'] },
    ],
  }),
  journal: JournalSettings,
  drop: dropRules('Events of any of these files that are left out, after what its entry of `logs` says.'),
  openFiles: Type.Integer({
    description:
      'Log files that are open at once, renamed ones among them; of more than that the most silent ones wait closed until they are written to.',
    default: 512,
    minimum: 8,
    maximum: 65_536,
  }),
  redact: redactSettings,
  ownLog: Type.Boolean({ description: 'Follow the agent’s own log too.', default: true }),
  link: LinkConfig,
  pushed: PushedConfig,
  budgets: BudgetSettings,
  detection: Type.Object(
    {
      metrics: Type.Boolean({
        description: 'Judge every series of this host by its own past, and tell the hub when the host is unlike it.',
        default: true,
      }),
      templates: Type.Boolean({
        description:
          'Find what kind of line each log line is, and tell the hub of kinds that are new, rare or missing.',
        default: true,
      }),
      train: Type.Boolean({
        description:
          'While the hub has given no model of this host, learn one here from a day of its metrics, in a process that ends, and again each week.',
        default: true,
      }),
      tensorFlow: Type.Boolean({
        description:
          'Run models of the hub whose layers the agent has not itself with TensorFlow: some 60 MB of memory and a second at the start.',
        default: false,
      }),
    },
    { additionalProperties: false, default: {} },
  ),
  spool: Type.Object(
    {
      limit: Type.Integer({
        description:
          'Bytes on disk that the spool may take. At 80 % files are not read on, at 90 % samples become averages of 10 s, at all of it they are dropped.',
        default: 1_073_741_824,
        minimum: 16_777_216,
      }),
    },
    { additionalProperties: false, default: {} },
  ),
};

/** Settings of the agent: its own, and each collector's under `collectors.<name>`. */
export type AgentSettings = Static<TObject<typeof settings>> & { collectors: Record<string, unknown> };

/** Settings that were read, the file that they came from, and the variables that were none. */
export interface LoadedSettings {
  settings: AgentSettings;
  file: string | undefined;
  /** What the file looked like before it was read; absent where nobody looked. */
  looks?: string | undefined;
  unknown: ReturnType<typeof unknownVariables>;
  /** Those of them that the hub pushed; absent where it pushed none, or where none are to be taken from it. */
  pushed?: Pushed;
  /** Why pushed ones that are kept are left out. */
  pushedFault?: string;
}

/** The entries of `logs` with the rules that hold for all of them. */
export function logSetsOf({ logs, drop }: Pick<AgentSettings, 'logs' | 'drop'>): AgentSettings['logs'] {
  return logs.map((set) => ({ ...set, drop: [...set.drop, ...drop] }));
}

/** The whole schema, with the collectors of this platform. */
export function agentSchema(definitions: readonly CollectorDefinition[]) {
  return Type.Object({ ...settings, collectors: collectorSettings(definitions) }, { additionalProperties: false });
}

/** The settings file in use: the one named, else the data folder's, else the system's; undefined when none exists. */
export function settingsFile(named: string | undefined, data: string | undefined): string | undefined {
  if (named !== undefined) return named;
  const places = [join(data ?? defaultDataFolder(), 'outrider-agent.yaml'), '/etc/outrider/outrider-agent.yaml'];
  return places.find((place) => existsSync(place));
}
