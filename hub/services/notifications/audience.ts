import { SEVERITIES, type Severity } from '#sdk';
import type { AlertChanged } from '#proto/subjects.ts';
import type { Status } from './tables.ts';

/** What decides whether a channel takes news. */
export interface Listener {
  id: string;
  name: string;
  formerNames: readonly string[];
  kind: string;
  minSeverity: Severity;
  enabled: boolean;
}

/** One channel for one piece of news: what becomes of it. */
export interface Told<Channel extends Listener = Listener> {
  /** Undefined when the rule names a channel that does not exist. */
  channel: Channel | undefined;
  name: string;
  status: 'queued' | 'failed' | 'skipped';
  /** Why it is not sent; empty when it is. */
  reason: string;
}

type News = Pick<AlertChanged, 'state' | 'severity' | 'channels' | 'ruleName'>;

const takes = ({ minSeverity }: Listener, severity: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(minSeverity);

/** The channel that a rule means: by its name, else by one that it had before and nobody else has now. */
function named<Channel extends Listener>(channels: readonly Channel[], name: string): Channel | undefined {
  const wanted = name.toLowerCase();
  return (
    channels.find((channel) => channel.name.toLowerCase() === wanted) ??
    channels.find(({ formerNames }) => formerNames.some((former) => former.toLowerCase() === wanted))
  );
}

/** Why a channel that exists is not told; empty when it is. */
function refusalOf(channel: Listener, severity: Severity): string {
  if (!channel.enabled) return 'The channel is switched off.';
  if (!takes(channel, severity))
    return `The channel takes only what is ${channel.minSeverity} or worse; this is ${severity}.`;
  return '';
}

function toldByName<Channel extends Listener>(channels: readonly Channel[], news: News): Told<Channel>[] {
  const told = new Map<string, Told<Channel>>();
  for (const name of news.channels) {
    const channel = named(channels, name);
    if (channel === undefined) {
      const reason = `There is no channel “${name}”. The rule “${news.ruleName}” names it: change the rule.`;
      told.set(`?${name.toLowerCase()}`, { channel, name, status: 'failed', reason });
    } else {
      const reason = refusalOf(channel, news.severity);
      told.set(channel.id, { channel, name: channel.name, status: reason === '' ? 'queued' : 'skipped', reason });
    }
  }
  return [...told.values()];
}

const nobody = (reason: string): Told<never> => ({ channel: undefined, name: '', status: 'skipped', reason });

/** Who is told that something fires: the channels that the rule names, or all that take it. Never empty: that nobody is told is said too. */
function audienceOf<Channel extends Listener>(channels: readonly Channel[], news: News): Told<Channel>[] {
  if (news.channels.length > 0) return toldByName(channels, news);
  const listening = channels.filter((channel) => refusalOf(channel, news.severity) === '');
  if (listening.length > 0)
    return listening.map((channel) => ({ channel, name: channel.name, status: 'queued', reason: '' }));
  if (channels.length === 0) return [nobody('There is no channel, so nobody was told.')];
  return [nobody(`No channel is switched on for what is ${news.severity}, so nobody was told.`)];
}

/** What was done with earlier news of the same firing. */
export interface EarlierNews {
  state: 'firing' | 'resolved';
  status: Status;
  channel: string | null;
}

/** Who is told that it is over: whoever was told, or is still to be told, that it fires. */
function audienceOfEnd<Channel extends Listener>(
  channels: readonly Channel[],
  heard: ReadonlySet<string | null>,
): Told<Channel>[] {
  const told = channels.filter(({ id }) => heard.has(id));
  if (told.length === 0) return [nobody('Nobody was told that it fires.')];
  return told.map((channel) => {
    const reason = channel.enabled ? '' : 'The channel is switched off.';
    return { channel, name: channel.name, status: reason === '' ? 'queued' : 'skipped', reason };
  });
}

const HEARD: readonly Status[] = ['queued', 'sending', 'sent'];

/** What becomes of one piece of news, given what came before. Empty when the bus told it twice; else never, so that it is known. */
export function tell<Channel extends Listener>(
  channels: readonly Channel[],
  news: News,
  earlier: readonly EarlierNews[],
): Told<Channel>[] {
  if (earlier.some(({ state }) => state === news.state)) return [];
  if (news.state === 'firing')
    return earlier.length === 0 ? audienceOf(channels, news) : [nobody('It was over before anyone could be told.')];
  const heard = earlier.filter(({ status }) => HEARD.includes(status)).map(({ channel }) => channel);
  return audienceOfEnd(channels, new Set(heard));
}
