import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api } from '../../api/client.ts';
import type { paths } from '../../api/schema.gen.d.ts';
import { sayFault } from '../../shell/toasts.tsx';
import type { AlertsSearch, Severity } from './search.ts';

type Reply<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': infer T } } } };
}
  ? T
  : never;
type Item<P extends keyof paths> = Reply<P> extends { items: (infer T)[] } ? T : never;
type Sent<P extends keyof paths> = paths[P] extends {
  post: { requestBody: { content: { 'application/json': infer T } } };
}
  ? T
  : never;

/** One episode of one series under one rule. */
export type Firing = Item<'/api/v1/monitoring/alerts/active'>;
export type Rule = Item<'/api/v1/monitoring/alerts'>;
/** What is sent of a rule. */
export type RuleBody = Sent<'/api/v1/monitoring/alerts'>;
export type Silence = Item<'/api/v1/monitoring/alerts/silences'>;
export type SilenceBody = Sent<'/api/v1/monitoring/alerts/silences'>;

/** Rows of a page of history. */
export const PAGE = 50;
const LIVE_MS = 5000;
const ALL = { limit: 1000 };

/** What fires now, newest first, with values of the last seconds. */
export function useActive({ host, severity }: Pick<AlertsSearch, 'host' | 'severity'>) {
  return useQuery({
    queryKey: ['alerts', 'active', host, severity],
    queryFn: ({ signal }) => {
      const query = { resource: host, severity, limit: 500 };
      return answer(api.GET('/api/v1/monitoring/alerts/active', { params: { query }, signal }));
    },
    refetchInterval: LIVE_MS,
    placeholderData: (before) => before,
  });
}

/** What history is asked for; times are milliseconds since 1970. */
export interface HistoryWish {
  host: string | undefined;
  rule: string | undefined;
  severity: Severity | undefined;
  state?: 'firing' | 'resolved';
  from: number | undefined;
  to: number | undefined;
  page: number;
}

/** What fired, newest first. */
export function useHistory({ host, page, ...wish }: HistoryWish) {
  return useQuery({
    queryKey: ['alerts', 'history', host, page, wish],
    queryFn: ({ signal }) => {
      const query = { ...wish, resource: host, limit: PAGE, offset: (page - 1) * PAGE };
      return answer(api.GET('/api/v1/monitoring/alerts/history', { params: { query }, signal }));
    },
    placeholderData: (before) => before,
  });
}

/** Every rule. */
export function useRules(enabled = true) {
  return useQuery({
    queryKey: ['alerts', 'rules'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/monitoring/alerts', { params: { query: ALL }, signal })),
    enabled,
  });
}

/** Silences that have not ended. */
export function useSilences(enabled = true) {
  return useQuery({
    queryKey: ['alerts', 'silences'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/monitoring/alerts/silences', { params: { query: ALL }, signal })),
    enabled,
  });
}

/** Names of the hosts. */
export function useHosts() {
  return useQuery({
    queryKey: ['hosts', 'names'],
    queryFn: async ({ signal }) => {
      const { items } = await answer(api.GET('/api/v1/monitoring/resources', { params: { query: ALL }, signal }));
      return items.map(({ id, name }) => ({ id, name }));
    },
    staleTime: 60_000,
  });
}

/** Series of a host: which metrics and attributes there are to choose from. */
export function useSeriesOf(host: string | undefined) {
  return useQuery({
    queryKey: ['hosts', 'series', host],
    queryFn: ({ signal }) => {
      const path = { id: host ?? '' };
      return answer(api.GET('/api/v1/monitoring/resources/{id}/series', { params: { path }, signal }));
    },
    enabled: host !== undefined,
    staleTime: 60_000,
  });
}

/** How often a rule would have fired in the last day. */
export function usePreview(body: RuleBody | undefined) {
  return useQuery({
    queryKey: ['alerts', 'preview', body],
    queryFn: ({ signal }) => {
      if (body === undefined) throw new Error('There is no rule to try.');
      return answer(api.POST('/api/v1/monitoring/alerts/preview', { params: { query: { hours: 24 } }, body, signal }));
    },
    enabled: body !== undefined,
    staleTime: 60_000,
    retry: false,
  });
}

const alert = (id: string) => ({ params: { path: { id } } });

/** Calls that change something; each resolves with the hub's answer or rejects with what was wrong. */
export const alertCalls = {
  acknowledge: (id: string, note: string) =>
    answer(api.POST('/api/v1/monitoring/alerts/active/{id}/acknowledge', { ...alert(id), body: { note } })),
  takeBack: (id: string) => answer(api.DELETE('/api/v1/monitoring/alerts/active/{id}/acknowledge', alert(id))),
  silence: (body: SilenceBody) => answer(api.POST('/api/v1/monitoring/alerts/silences', { body })),
  endSilence: (id: string) => answer(api.DELETE('/api/v1/monitoring/alerts/silences/{id}', alert(id))),
  addRule: (body: RuleBody) => answer(api.POST('/api/v1/monitoring/alerts', { body })),
  changeRule: (id: string, body: RuleBody) => answer(api.PUT('/api/v1/monitoring/alerts/{id}', { ...alert(id), body })),
  removeRule: (id: string) => answer(api.DELETE('/api/v1/monitoring/alerts/{id}', alert(id))),
};

/** Runs calls that change something: what is shown is asked for anew, and a fault is said. `run` tells whether it worked. */
export function useChange() {
  const queries = useQueryClient();
  const { mutateAsync, isPending } = useMutation({
    mutationFn: (call: () => Promise<unknown>) => call(),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alerts'] }),
  });
  /** Calls `done` with the answer; says what was wrong unless `failed` does. */
  const run = <T>(
    call: () => Promise<T>,
    done?: (answer: T) => void,
    failed: (error: unknown) => void = sayFault,
  ): void => {
    mutateAsync(call).then((reply) => done?.(reply as T), failed);
  };
  return { run, busy: isPending };
}
