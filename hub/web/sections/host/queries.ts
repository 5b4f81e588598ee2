import { useMutation, useQueries, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { answer, api } from '../../api/client.ts';
import { liveStream } from '../../live/stream.ts';
import { say, sayFault } from '../../shell/toasts.tsx';
import { rangeOf, type RangeText } from '../../time/range.ts';
import type { Batch } from './lines.ts';
import { JUDGED, SCORE, stretchesOf, type Stretch } from './unusual.ts';

const byId = (id: string) => ({ params: { path: { id } } });

/** The host as the hub knows it. */
export function useHost(id: string) {
  return useQuery({
    queryKey: ['host', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/monitoring/resources/{id}', { ...byId(id), signal })),
    refetchInterval: 15_000,
  });
}
/** A host as the hub answers it. */
export type HostReply = NonNullable<ReturnType<typeof useHost>['data']>;

/** How the host is, in a word and a sentence. */
export function useVerdict(id: string) {
  return useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/monitoring/overview', { signal })),
    select: ({ hosts }) => hosts.find((host) => host.id === id),
    // The overview answers for all hosts: where there are many it is asked less often.
    refetchInterval: ({ state }) => ((state.data?.total ?? 0) > 200 ? 30_000 : 5000),
  });
}

/** Which series the host has. */
export function useHostSeries(id: string) {
  return useQuery({
    queryKey: ['host', id, 'series'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/monitoring/resources/{id}/series', { ...byId(id), signal })),
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });
}

/** What the charts of a time range need. */
export interface HistoryWish {
  id: string;
  text: RangeText;
  stepMs: number;
  batches: readonly Batch[];
}

async function askHistory({ id, text, stepMs }: HistoryWish, { names, by, without }: Batch, signal: AbortSignal) {
  const { from, to } = rangeOf(text, liveStream.now());
  const query = {
    name: [...names],
    by: [...by],
    // A step more on the left, so that lines begin at the edge.
    from: String(Math.floor(from - stepMs)),
    to: String(Math.ceil(to)),
    step: `${stepMs / 1000}s`,
    ...(without === undefined ? {} : { [`attr.${without}`]: '' }),
  };
  return answer(api.GET('/api/v1/monitoring/metrics/{id}', { params: { path: { id }, query }, signal }));
}

/** Samples of the time range, an answer a batch. They are asked for anew after a gap in the stream. */
export function useHistory(wish: HistoryWish): UseQueryResult<HistoryReply>[] {
  const { id, text, stepMs, batches } = wish;
  return useQueries({
    queries: batches.map((batch) => ({
      queryKey: ['host', id, 'history', batch, text, stepMs],
      queryFn: ({ signal }: { signal: AbortSignal }) => askHistory(wish, batch, signal),
      // A live range goes on by the stream, so what was kept of it is too old at once.
      staleTime: text.to === undefined ? 0 : 60_000,
      gcTime: text.to === undefined ? 0 : 60_000,
      refetchOnWindowFocus: false,
      structuralSharing: false,
    })),
  });
}
/** Samples of a time range. */
export type HistoryReply = Awaited<ReturnType<typeof askHistory>>;

/** What fired on the host, newest first. */
export function useFirings(id: string) {
  return useQuery({
    queryKey: ['alerts', 'of-host', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/alerts/history', { params: { query: { resource: id, limit: 200 } }, signal })),
    refetchInterval: 60_000,
  });
}

/** What became of the lines of each source of the host. */
export function useLedger(id: string) {
  return useQuery({
    queryKey: ['host', id, 'ledger'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/logs/ledger', { params: { query: { resource: id } }, signal })),
    refetchInterval: 15_000,
  });
}
/** One source of a ledger. */
export type SourceLedger = NonNullable<ReturnType<typeof useLedger>['data']>['items'][number];

/** Losses that the list shows at once. */
const LOSSES = 100;

/** Lines of the host that were lost in the last week, newest first. */
export function useLosses(id: string) {
  return useQuery({
    queryKey: ['host', id, 'losses'],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/v1/logs/losses', { params: { query: { resource: id, from: '-7d', limit: LOSSES } }, signal }),
      ),
    refetchInterval: 30_000,
  });
}

/** Events that a page lists. */
const EVENTS = 100;

/** Times in which the host was unlike its past, newest first. */
export function useAnomalies(id: string) {
  return useQuery({
    queryKey: ['host', id, 'anomalies'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/predictions/anomalies', { params: { query: { resource: id, limit: EVENTS } }, signal })),
    refetchInterval: 10_000,
  });
}
/** One of them as the hub answers it. */
export type AnomalyReply = NonNullable<ReturnType<typeof useAnomalies>['data']>['items'][number];
type Verdict = NonNullable<AnomalyReply['feedback']['mine']>;

/** Events that a strip has room for. */
const IN_RANGE = 200;

/** Times in which the host was unlike its past, those that touch a time range. */
export function useAnomaliesIn(id: string, text: RangeText) {
  return useQuery({
    queryKey: ['host', id, 'anomalies', 'in', text],
    queryFn: ({ signal }) => {
      const { from, to } = rangeOf(text, liveStream.now());
      const query = { resource: id, from: String(Math.floor(from)), to: String(Math.ceil(to)), limit: IN_RANGE };
      return answer(api.GET('/api/v1/predictions/anomalies', { params: { query }, signal }));
    },
    refetchInterval: text.to === undefined ? 10_000 : false,
    placeholderData: (before) => before,
  });
}

/** One event, where no list that was asked for has it. */
export function useAnomaly(host: string, event: string | undefined) {
  return useQuery({
    queryKey: ['host', host, 'anomalies', 'one', event],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/predictions/anomalies/{id}', { ...byId(event ?? ''), signal })),
    enabled: event !== undefined,
    retry: false,
  });
}

async function askScores({ id, text, stepMs }: Omit<HistoryWish, 'batches'>, batch: Batch, signal: AbortSignal) {
  const { from, to } = rangeOf(text, liveStream.now());
  const query = {
    name: SCORE,
    by: [...batch.by, JUDGED],
    from: String(Math.floor(from)),
    to: String(Math.ceil(to)),
    step: `${stepMs / 1000}s`,
    ...(batch.without === undefined ? {} : { [`attr.${batch.without}`]: '' }),
  };
  const { series } = await answer(api.GET('/api/v1/monitoring/metrics/{id}', { params: { path: { id }, query }, signal })); // prettier-ignore
  return stretchesOf(batch, series, stepMs);
}

/** When lines of charts were strange in a time range, an answer a batch. A live one goes on by the stream. */
export function useScores({ id, text, stepMs, batches }: HistoryWish): UseQueryResult<Stretch[]>[] {
  return useQueries({
    queries: batches.map((batch) => ({
      queryKey: ['host', id, 'scores', batch, text, stepMs],
      queryFn: ({ signal }: { signal: AbortSignal }) => askScores({ id, text, stepMs }, batch, signal),
      staleTime: text.to === undefined ? 0 : 60_000,
      gcTime: text.to === undefined ? 0 : 60_000,
      refetchOnWindowFocus: false,
    })),
  });
}

/** Says what an event was worth, or takes it back; the host's thresholds move by it. */
export function useFeedback(id: string) {
  const queries = useQueryClient();
  const path = '/api/v1/predictions/anomalies/{id}/feedback';
  const tell = async (event: string, verdict: Verdict | undefined): Promise<void> => {
    if (verdict === undefined) await answer(api.DELETE(path, byId(event)));
    else await answer(api.POST(path, { ...byId(event), body: { verdict } }));
  };
  const anew = (): void => void queries.invalidateQueries({ queryKey: ['host', id, 'anomalies'] });
  return useMutation({
    mutationFn: ({ id: event, verdict }: { id: string; verdict: Verdict | undefined; before: Verdict | null }) =>
      tell(event, verdict),
    onSuccess: (_, { id: event, verdict, before }) => {
      anew();
      say(verdict === undefined ? 'Taken back' : `Kept as ${verdict}`, () => {
        tell(event, before ?? undefined).then(anew, sayFault);
      });
    },
    onError: sayFault,
  });
}

/** How many lines a second each rule left out on the host in the last day, while its agent ran; most first. The hub keeps rates. */
export function useDropped(id: string) {
  const query = { name: 'outrider.agent.log.dropped', by: 'outrider.drop.rule', from: '-24h', step: '300s' };
  return useQuery({
    queryKey: ['host', id, 'dropped'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/metrics/{id}', { params: { path: { id }, query }, signal })),
    select: ({ series }) =>
      series
        .map(({ attributes, avg }) => ({
          rule: attributes['outrider.drop.rule'] ?? '',
          average: avg.reduce((sum, rate) => sum + rate, 0) / avg.length,
          most: Math.max(...avg),
        }))
        .filter(({ most }) => most > 0)
        .sort((a, b) => b.average - a.average),
    refetchInterval: 60_000,
  });
}

/** The agent on the host; undefined for what no agent brings. */
export function useAgent(id: string) {
  return useQuery({
    queryKey: ['agents'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/agents', { params: { query: { limit: 1000 } }, signal })),
    select: ({ items }) => items.find((agent) => agent.id === id),
  });
}

/** What of a host a person may change. */
export interface HostChange {
  name?: string;
  labels?: Record<string, string>;
}

/** Changes the host's name or labels; what was before can be had back. */
export function useChangeHost(id: string) {
  const queries = useQueryClient();
  const put = (body: HostChange) => answer(api.PUT('/api/v1/monitoring/resources/{id}', { ...byId(id), body }));
  const anew = (): void => {
    for (const key of [['host', id], ['overview'], ['hosts']])
      void queries.invalidateQueries({ queryKey: key, exact: key.length > 1 });
  };
  return useMutation({
    mutationFn: ({ change }: { change: HostChange; before: HostChange }) => put(change),
    onSuccess: (_, { change, before }) => {
      anew();
      say(change.name === undefined ? 'Labels saved' : `Renamed to ${change.name}`, () => {
        put(before).then(anew, sayFault);
      });
    },
    onError: sayFault,
  });
}

/** Cuts the agent of the host off for good. */
export function useRevokeAgent(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST('/api/v1/agents/{id}/revoke', byId(id))),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['agents'] });
      say('The agent is cut off.');
    },
    onError: sayFault,
  });
}

/** Deletes the host with all that it sent. */
export function useDeleteHost(id: string, gone: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.DELETE('/api/v1/monitoring/resources/{id}', byId(id))),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['overview'] });
      say('The host is deleted with its data.');
      gone();
    },
    onError: sayFault,
  });
}
