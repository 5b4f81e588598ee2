import type { Status } from '../status.ts';
import { notInForce } from './not-in-force.ts';

/** What one look of `top` shows. */
export interface TopView {
  nowMs: number;
  hostname: string;
  /** Undefined when no agent ever ran with this data folder. */
  status: Status | undefined;
  running: boolean;
  /** The status a look before, for rates; undefined at first. */
  before: Status | undefined;
  /** Values of this machine now, by metric name and attributes, as `collect` names them. */
  values: ReadonlyMap<string, number>;
  /** Those of the look before, for rates of counters. */
  valuesBefore: ReadonlyMap<string, number>;
  /** That no agent would start with the settings as they are, and their faults; none where it would. A running agent tells itself. */
  unfit: readonly string[];
  /** Seconds between the two looks. */
  seconds: number;
}

const BAR = 24;
const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`;
const dim = (text: string): string => `\u001b[2m${text}\u001b[0m`;
const red = (text: string): string => `\u001b[31m${text}\u001b[0m`;

/** Bytes with a unit that a person reads, decimal. */
export function bytesText(bytes: number): string {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`; // prettier-ignore
  return `${Math.round(bytes)} B`;
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR);
  const text = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
  return `${share > 0.9 ? red(text) : text} ${(share * 100).toFixed(0).padStart(3)} %`;
}

/** All values of one metric with the text of their attributes. */
function of(values: ReadonlyMap<string, number>, name: string): [attributes: string, value: number][] {
  return [...values].flatMap(([key, value]): [string, number][] =>
    key === name || key.startsWith(`${name} `) ? [[key.slice(name.length + 1), value]] : [],
  );
}
const sum = (rows: readonly [string, number][]): number => rows.reduce((total, [, value]) => total + value, 0);

/** How much a counter grew a second, over all series whose attributes hold `word`. */
function rate({ values, valuesBefore, seconds }: TopView, name: string, word: string): number {
  const grown = of(values, name)
    .filter(([attributes]) => attributes.includes(word))
    .map(([attributes, value]) => value - (valuesBefore.get(`${name} ${attributes}`) ?? value));
  return Math.max(0, grown.reduce((total, more) => total + more, 0) / seconds);
}

function machineRows(view: TopView): string[] {
  const { values } = view;
  const used = sum(of(values, 'system.memory.utilization').filter(([text]) => text.includes('state=used')));
  const cpu = values.get('system.cpu.busy') ?? 0;
  const loads = ['1m', '5m', '15m'].map((span) => (values.get(`system.cpu.load_average.${span}`) ?? 0).toFixed(2));
  const disk = ['direction=read', 'direction=write'].map((word) => bytesText(rate(view, 'system.disk.io', word)));
  const net = ['direction=receive', 'direction=transmit'].map((word) =>
    bytesText(rate(view, 'system.network.io', word)),
  );
  const fullest = of(values, 'system.filesystem.utilization').sort(([, a], [, b]) => b - a)[0];
  const mount = /mountpoint=(\S+)/.exec(fullest?.[0] ?? '')?.[1];
  return [
    `cpu      ${bar(cpu)}   load ${loads.join(' ')}`,
    `memory   ${bar(used)}   of ${bytesText(values.get('system.memory.limit') ?? 0)}`,
    ...(fullest === undefined ? [] : [`fullest  ${bar(fullest[1])}   ${mount ?? ''}`]),
    `disk     read ${disk[0]}/s, write ${disk[1]}/s`,
    `network  in ${net[0]}/s, out ${net[1]}/s`,
  ];
}

function linkText({ status, running, nowMs }: TopView): string {
  if (status === undefined) return 'no agent has run with this data folder';
  if (!running) return red('the agent is not running');
  if (!status.connected) return red(`not connected to ${status.hub}: ${status.reason}`);
  const ack =
    status.lastAckMs === null ? 'never' : `${Math.max(0, (nowMs - status.lastAckMs) / 1000).toFixed(0)} s ago`;
  return `connected to ${status.hub}, acknowledged ${ack}`;
}

/** Growth a second between two looks of the agent at itself, which writes them down every few seconds. */
function perSecond({ status, before }: TopView, count: (status: Status) => number): string {
  if (status === undefined || before === undefined || status.writtenMs <= before.writtenMs) return '–';
  const grown = ((count(status) - count(before)) * 1000) / (status.writtenMs - before.writtenMs);
  return Math.max(0, grown).toFixed(0);
}

function agentRows(view: TopView): string[] {
  const { status } = view;
  if (status === undefined) return [];
  const spool = `${bytesText(status.spoolBytes)}${status.spoolFull ? red(', full') : ''}`;
  const lines = [
    `read ${perSecond(view, ({ linesRead }) => linesRead)}/s`,
    `acknowledged ${perSecond(view, ({ linesAcknowledged }) => linesAcknowledged)}/s`,
    `waiting ${status.linesWaiting}`,
    status.linesLost === 0 ? 'lost 0' : red(`lost ${status.linesLost}`),
  ];
  const { file } = status.settings;
  // All of them by name, before the files that may be many.
  const [stale, ...faults] = notInForce(status);
  return [
    `spool    ${spool}`,
    `lines    ${lines.join(', ')}`,
    `settings ${stale === undefined ? (file ?? 'defaults, environment and flags') : red(stale)}`,
    ...faults.map((fault) => `         ${red(fault)}`),
    '',
    bold(`files that are followed: ${status.files.length}`),
    ...status.files.map((path) => `  ${path}`),
  ];
}

/** The screen as lines, none longer than `columns` and no more than `rows`; what does not fit is counted in the last. */
export function screenOf(view: TopView, columns: number, rows: number): string[] {
  const time = new Date(view.nowMs).toTimeString().slice(0, 8);
  const lines = [
    `${bold(`outrider-agent on ${view.hostname}`)}  ${time}  ${dim('q quits')}`,
    linkText(view),
    ...(view.running ? [] : view.unfit.map(red)),
    '',
    ...machineRows(view),
    '',
    ...agentRows(view),
  ];
  const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), dim(`… ${lines.length - rows + 1} more`)];
  return shown.map((line) => cutTo(line, columns));
}

/** Cuts a line to a width; the sequences that colour it take none. */
function cutTo(line: string, columns: number): string {
  let width = 0;
  let out = '';
  for (const part of line.match(/\u001b\[\d+m|[^\u001b]/gu) ?? []) {
    if (part.startsWith('\u001b')) out += part;
    else if (width < columns) {
      out += part;
      width++;
    }
  }
  return out;
}
