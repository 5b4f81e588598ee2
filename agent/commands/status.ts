import type { OwnState } from '../anomalies/index.ts';
import type { BudgetUse, PressureStep } from '../budgets/index.ts';
import { problems } from '../errors.ts';
import { readIdentity } from '../link/identity.ts';
import { LINE_STATES } from '../pipeline/delivery.ts';
import { isRunning, readStatus, type Status } from '../status.ts';
import { notInForce, notStarting } from './not-in-force.ts';

const ago = (ms: number | null, nowMs: number): string =>
  ms === null ? 'never' : `${Math.max(0, Math.round((nowMs - ms) / 1000))} s ago`;
/** Sources that the table names. */
const SOURCES = 10;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Since the start of the agent; what an earlier run left is told where there is any. */
function linesOf(status: Status): string {
  const { linesRead, linesCarried, linesDropped, linesAcknowledged, linesWaiting, linesLost } = status;
  const carried = linesCarried === 0 ? '' : ` and ${linesCarried} left by the last run`;
  const gathered = Math.max(0, status.linesRead - linesDropped - status.linesSpooled);
  const dropped = linesDropped === 0 ? '' : `${linesDropped} dropped by rule, `;
  return `${linesRead} read${carried}: ${dropped}${linesAcknowledged} acknowledged, ${linesWaiting + gathered} wait, ${linesLost} lost`;
}

/** Rules that the table names. */
const RULES = 20;

/** Lines that rules left out, by rule, those with the most first. */
function dropRows({ drops }: Status): [string, string][] {
  const rules = Object.entries(drops).sort(([, a], [, b]) => b - a);
  const rows = rules.slice(0, RULES).map(([rule, lines]) => `${lines} by the rule ${rule}`);
  if (rules.length > RULES) rows.push(`and by ${rules.length - RULES} more rules`);
  return rows.map((words, n) => [n === 0 ? 'dropped' : '', words]);
}

/** What became of the lines of the sources with the most, those that lost something first. */
function sourceRows({ sources, moreSources }: Status): string[] {
  if (sources.length === 0) return [];
  const shown = sources.slice(0, SOURCES);
  const width = Math.min(60, Math.max(...shown.map(({ source }) => source.length), 8));
  const row = (name: string, cells: readonly string[]): string =>
    `${(name.length > width ? `…${name.slice(1 - width)}` : name).padEnd(width)}${cells.join('')}\n`;
  const more = moreSources + sources.length - shown.length;
  return [
    `\n${row(
      'lines of',
      LINE_STATES.map((state) => state.padStart(13)),
    )}`,
    ...shown.map((one) => {
      const cells = LINE_STATES.map((state) => String(one[state].lines).padStart(13));
      return row(one.source, one.balances ? cells : [...cells, '  does not balance']);
    }),
    ...(more > 0 ? [`and ${more} more sources\n`] : []),
  ];
}

/** Where the settings in force come from, and what keeps newer ones from it. */
function settingsOf(status: Status): string[] {
  const { file, faults, awaitRestart } = status.settings;
  if (faults.length > 0) return notInForce(status);
  const from = file ?? 'defaults, environment and flags';
  return [awaitRestart.length === 0 ? from : `${from}; await a restart: ${awaitRestart.join(', ')}`];
}

/** Rows of a name and what follows it; the name stands in the first only. */
const named = (name: string, texts: readonly string[]): [string, string][] =>
  texts.map((text, n) => [n === 0 ? name : '', text]);

/** What was learnt of the host, and whether it is unlike it now. */
function detectionOf({ detection }: Status, nowMs: number): string {
  if (detection === null) return 'not told by this version of the agent';
  const { series, templates, score, openSinceMs, moved, waits = 'learning' } = detection;
  const thresholds = moved > 0 ? `, ${moved} thresholds were moved by what people said` : '';
  const known = `${series} series and ${templates} kinds of lines are known${thresholds}`;
  if (waits === 'metrics-off') return `${known}; metrics are not judged: detection.metrics is off`;
  if (score === null && waits === null) return `${known}; the host is judged within half a minute`;
  if (score === null) return `${known}; the host is watched for half an hour before it is judged`;
  if (openSinceMs === null) return `${known}; the host is as usual (${score.toFixed(2)} of 0.5)`;
  return `${known}; the host has been unlike its past for ${Math.round((nowMs - openSinceMs) / 60_000)} min (${score.toFixed(2)}, an event from 0.5 on)`;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const WITHOUT_TRAINING: Record<'off' | 'impossible' | 'aside', string> = {
  off: 'none is learnt here: detection.train or detection.metrics is off',
  impossible: 'none is learnt here: this agent runs from source, without the program that learns one',
  aside: '',
};

/** How far a model of the agent's own is. */
function trainingOf({ phase, rows, of, progress, dueMs, problem }: OwnState, nowMs: number): string {
  if (phase === 'off' || phase === 'impossible' || phase === 'aside') return WITHOUT_TRAINING[phase];
  const failed = problem === '' ? '' : `; the last attempt failed: ${problem}`;
  const due = dueMs > nowMs ? ` from ${dayOf(dueMs)} on` : ' when the agent is within its budgets';
  const words = {
    choosing: 'it is seen which series move, to learn a model from them',
    gathering: `${rows} of ${of} windows are gathered to learn a model from`,
    waiting: `a model is learnt${due}`,
    training: `a model is learnt now (${Math.round(100 * progress)} %)`,
    resting: `the next one is learnt${due}`,
  };
  return words[phase] + failed;
}

/** Which models look at the host, and how far the agent's own is. */
function modelsOf({ detection }: Status, nowMs: number): string[] {
  if (detection?.models === undefined) return [];
  const { judge, shadow, problems, own } = detection.models;
  const from = judge?.alias === 'own' ? 'learnt here' : 'given by the hub';
  const judging =
    judge === null ? 'no model judges yet' : `${judge.version} of ${dayOf(judge.createdMs)}, ${from}, judges`;
  const beside = shadow === null ? [] : [`${shadow.version} of ${dayOf(shadow.createdMs)} only looks on`];
  const training = trainingOf(own, nowMs);
  return [
    [judging, ...beside, ...(training === '' ? [] : [training])].join('; '),
    ...problems.map((problem) => `one of the hub’s is not used: ${problem}`),
  ];
}

/** What became of what the hub pushed last, and what is in force where that is not. */
function pushedOf({ pushed, pushedInForce }: Status): string {
  if (pushed === null || pushed.revision === '0') return 'nothing by the hub';
  const { revision, state, problem } = pushed;
  const words = { trying: 'tried out now', applied: 'in force', refused: 'refused', 'rolled-back': 'taken back' };
  const told = `revision ${revision} of the hub, ${words[state]}${problem === '' ? '' : `: ${problem}`}`;
  if (state === 'trying' || state === 'applied' || pushedInForce === undefined) return told;
  return `${told}; ${pushedInForce === null ? 'nothing of the hub is' : `revision ${pushedInForce} is`} in force`;
}

function samplesOf({ dropped }: Status): string {
  const reasons = Object.entries(dropped).filter(([, { runs }]) => runs > 0);
  if (reasons.length === 0) return 'none dropped';
  return reasons.map(([reason, { runs, samples }]) => `${samples} dropped in ${runs} runs: ${reason}`).join(', ');
}

const STEPS: Record<PressureStep, string> = {
  'slow-reading': 'files are read slowly',
  'files-wait': 'files wait',
  'longer-intervals': 'collectors run less often',
  aggregate: 'samples are averages of 10 s',
  drop: 'samples are dropped',
};
const pressureOf = ({ pressure }: Status): string =>
  pressure.length === 0 ? 'none' : pressure.map((step) => STEPS[step]).join(', ');

function budgetOf({ name, usage, limit }: BudgetUse): string {
  const over = usage > limit ? ' (over)' : '';
  if (name === 'cpu') return `${usage.toFixed(2)} of ${limit} cores${over}`;
  if (name === 'memory' || name === 'disk') return `${name} ${megabytes(usage)} of ${megabytes(limit)}${over}`;
  return `${usage} of ${limit} ${name}${over}`;
}

function table(status: Status, { running, nowMs, now }: Told): string {
  const link = !running
    ? 'the agent is not running; this is how it was when it ended'
    : status.connected
      ? 'connected'
      : `not connected: ${status.reason}`;
  const rows: [string, string][] = [
    ['agent', status.agentId],
    ['hub', status.hub],
    ['link', link],
    ['acknowledged', ago(status.lastAckMs, nowMs)],
    ['spool', `${megabytes(status.spoolBytes)} on disk${status.spoolFull ? ', full' : ''}`],
    ['lines', linesOf(status)],
    ...dropRows(status),
    ['samples', samplesOf(status)],
    ['pressure', pressureOf(status)],
    ['budgets', status.budgets.map(budgetOf).join(', ')],
    ...status.series.overflowing.map(({ collector, metric, overflow }, n): [string, string] => [
      n === 0 ? 'too many' : '',
      `${overflow} values of ${metric} (${collector}) left out: it has too many series`,
    ]),
    ['clock', `${(status.skewMs / 1000).toFixed(3)} s off the hub’s`],
    ...named('settings', now.faults.length > 0 && !running ? notStarting(now.file, now.faults) : settingsOf(status)),
    ['detection', detectionOf(status, nowMs)],
    ...named('models', modelsOf(status, nowMs)),
    ['pushed', pushedOf(status)],
    ...named('files', status.files),
  ];
  return [...rows.map(([name, value]) => `${name.padEnd(13)} ${value}\n`), ...sourceRows(status)].join('');
}

/** The settings file as it is now, and what is wrong with it. */
export interface FileNow {
  file: string | undefined;
  faults: readonly string[];
}

interface Told {
  running: boolean;
  nowMs: number;
  now: FileNow;
}

/** How an agent is doing. */
export interface AgentReport {
  text: string;
  running: boolean;
  /** False where the settings file has faults, for which it is not what runs, or no agent starts. */
  isInForce: boolean;
}

const SOUND: FileNow = { file: undefined, faults: [] };

/** Says how the agent of a data folder is doing, as a table or as JSON. A running agent says itself what it makes of its file; `now` counts where none runs. */
export function describeStatus(
  dataFolder: string,
  { json, nowMs, now = SOUND }: { json: boolean; nowMs: number; now?: FileNow | undefined },
): AgentReport {
  const identity = readIdentity(dataFolder);
  if (identity === undefined)
    throw problems.notEnrolled(
      `${dataFolder} holds no identity. If the agent has another data folder, name it with --data; else run outrider-agent enroll first.`,
    );
  const { agentId, link } = identity;
  const status = readStatus(dataFolder);
  const running = isRunning(status, nowMs);
  const faults = running ? (status?.settings.faults ?? []) : now.faults;
  const said = { running, isInForce: faults.length === 0 };
  if (json) {
    const settings = { ...status?.settings, faults };
    return { ...said, text: `${JSON.stringify({ agentId, hub: link, ...status, settings, running }, null, 2)}\n` };
  }
  if (status !== undefined) return { ...said, text: table(status, { running, nowMs, now }) };
  const rows: [string, string][] = [
    ['agent', agentId],
    ['hub', link],
    ['link', `the agent has not run yet; start it with: outrider-agent run --data ${dataFolder}`],
    ...named('settings', faults.length === 0 ? [] : notStarting(now.file, faults)),
  ];
  return { ...said, text: rows.map(([name, text]) => `${name.padEnd(13)} ${text}\n`).join('') };
}
