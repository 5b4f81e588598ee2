import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api } from '../../api/client.ts';
import type { paths } from '../../api/schema.gen.d.ts';

const ROOT = '/api/v1/agents/settings/groups';

type Reply<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': { items: (infer T)[] } } } } };
}
  ? T
  : never;

/** A group of agents, and how far they are with what was pushed to it. */
export type Group = Reply<typeof ROOT>;
/** One version of what is pushed to a group. */
export type Revision = Reply<`${typeof ROOT}/{id}/revisions`>;
/** An agent of a group, and how far it is. */
export type GroupAgent = Reply<`${typeof ROOT}/{id}/agents`>;
/** What agents have now that a push reaches, and whom it does not reach. */
export type Reach = NonNullable<ReturnType<typeof useReach>['data']>;
/** What may be pushed. */
export type Pushable = Revision['settings'];

/** How often what agents say is asked for, milliseconds. */
const LIVE_MS = 2000;
/** Agents of a group that are shown. */
export const MOST_AGENTS = 1000;

export const useGroups = () =>
  useQuery({
    queryKey: ['groups', 'list'],
    queryFn: ({ signal }) => answer(api.GET(ROOT, { signal })),
    refetchInterval: LIVE_MS,
  });

export const useGroupAgents = (id: string) =>
  useQuery({
    queryKey: ['groups', id, 'agents'],
    queryFn: ({ signal }) => {
      const params = { path: { id }, query: { limit: MOST_AGENTS } };
      return answer(api.GET(`${ROOT}/{id}/agents`, { params, signal }));
    },
    refetchInterval: LIVE_MS,
  });

/** What those have now that a push to a group reaches. Asked anew whenever it is to be looked at. */
export const useReach = (id: string) =>
  useQuery({
    queryKey: ['groups', id, 'reach'],
    queryFn: ({ signal }) => answer(api.GET(`${ROOT}/{id}/reach`, { params: { path: { id } }, signal })),
    refetchInterval: LIVE_MS,
  });

/** Everything that was pushed to a group, newest first. The hub keeps 200 revisions, and those that agents still have. */
export const useRevisions = (id: string) =>
  useQuery({
    queryKey: ['groups', id, 'revisions'],
    queryFn: ({ signal }) => {
      const params = { path: { id }, query: { limit: 1000 } };
      return answer(api.GET(`${ROOT}/{id}/revisions`, { params, signal }));
    },
    refetchInterval: LIVE_MS,
  });

/** Agents of the organisation, as far as one answer has them: to say which ones some labels fit. */
export const useAllAgents = () =>
  useQuery({
    queryKey: ['agents', 'labels'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/agents', { params: { query: { limit: 1000 } }, signal })),
  });

/** Labels that hosts have on the page, with those that people gave them there. */
export const useHostLabels = () =>
  useQuery({
    queryKey: ['hosts', 'labels'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/resources', { params: { query: { limit: 1000 } }, signal })),
    select: ({ items }) => items,
  });

/** Names of the collectors that an agent has reported, of which something may be pushed. */
export const useCollectorNames = (agent: string | undefined) =>
  useQuery({
    queryKey: ['hosts', 'collectors', agent],
    queryFn: async ({ signal }) => {
      const params = { path: { id: agent ?? '' } };
      const { items } = await answer(api.GET('/api/v1/monitoring/resources/{id}/series', { params, signal }));
      const own = items.filter(({ name }) => name === 'outrider.collector.success');
      const names = own.flatMap(({ attributes }) => attributes['outrider.collector'] ?? []);
      // The agent's report of itself is no collector of the settings, and exec runs programs.
      return [...new Set(names)].filter((name) => name !== 'agent' && name !== 'exec').sort();
    },
    enabled: agent !== undefined,
    staleTime: 60_000,
  });

const group = (id: string) => ({ params: { path: { id } } });

/** Calls that change something; each resolves with the hub's answer or rejects with what was wrong. */
export const groupCalls = {
  make: (body: { name: string; labels: Record<string, string> }) => answer(api.POST(ROOT, { body })),
  remove: (id: string) => answer(api.DELETE(`${ROOT}/{id}`, group(id))),
  push: (id: string, body: { settings: Pushable; canaries: number }) =>
    answer(api.POST(`${ROOT}/{id}/revisions`, { ...group(id), body })),
  undo: (id: string, revision: number) => answer(api.POST(`${ROOT}/{id}/undo`, { ...group(id), body: { revision } })),
};

/** Runs calls that change something: what is shown is asked for anew afterwards. */
export function useGroupChange() {
  const queries = useQueryClient();
  const { mutateAsync, isPending } = useMutation({
    mutationFn: (call: () => Promise<unknown>) => call(),
    onSettled: () => queries.invalidateQueries({ queryKey: ['groups'] }),
  });
  const run = <T>(call: () => Promise<T>, done: (answer: T) => void, failed: (error: unknown) => void): void => {
    mutateAsync(call).then((reply) => done(reply as T), failed);
  };
  return { run, busy: isPending };
}
