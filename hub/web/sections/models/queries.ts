import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { answer, api } from '../../api/client.ts';
import type { paths } from '../../api/schema.gen.d.ts';
import { say, sayFault } from '../../shell/toasts.tsx';
import { outcomeOf } from './job-words.ts';

const ROOT = '/api/v1/predictions';
const DOCUMENT = `${ROOT}/models/{version}/document` as const satisfies keyof paths;

type Reply<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': infer T } } } };
}
  ? T
  : never;

/** A version of a host's model, and how it did on what it had not seen. */
export type Model = Reply<`${typeof ROOT}/models/{version}`>;
/** Which models a host is judged by, what its agent says of them, and what they were before. */
export type Aliases = Reply<`${typeof ROOT}/aliases/{resource}`>;
/** What an alias was moved to. */
export type Move = Aliases['history'][number];
/** Work that was asked for. */
export type Job = Reply<`${typeof ROOT}/jobs/{id}`>;
/** What a model is to its host. */
export type AliasName = Move['alias'];

/** Rows of a page of versions. */
export const PAGE = 20;
/** Trainings that are told of. */
const JOBS = 5;
/** How often is looked: at a training that goes on, and at what changes seldom; milliseconds. */
const GOING_MS = 1500;
const SELDOM_MS = 15_000;

/** True while a job waits or runs. */
export const goesOn = ({ state }: Pick<Job, 'state'>): boolean => state === 'queued' || state === 'running';

/** The host's versions, newest first. */
export function useModels(resource: string, page: number) {
  return useQuery({
    queryKey: ['models', resource, 'versions', page],
    queryFn: ({ signal }) => {
      const query = { resource, limit: PAGE, offset: (page - 1) * PAGE };
      return answer(api.GET(`${ROOT}/models`, { params: { query }, signal }));
    },
    refetchInterval: SELDOM_MS,
    placeholderData: (before) => before,
  });
}

/** One version; none while none is named. */
export function useModel(resource: string, version: string | undefined) {
  return useQuery({
    queryKey: ['models', resource, 'version', version],
    queryFn: ({ signal }) =>
      answer(api.GET(`${ROOT}/models/{version}`, { params: { path: { version: version ?? '' } }, signal })),
    enabled: version !== undefined,
  });
}

/** Which models judge the host. */
export function useAliases(resource: string) {
  return useQuery({
    queryKey: ['models', resource, 'aliases'],
    queryFn: ({ signal }) => answer(api.GET(`${ROOT}/aliases/{resource}`, { params: { path: { resource } }, signal })),
    refetchInterval: 5000,
  });
}

/** The newest trainings of the host, and soon after one has ended also what it made. */
export function useJobs(resource: string) {
  const queries = useQueryClient();
  const asked = useQuery({
    queryKey: ['models', resource, 'jobs'],
    queryFn: ({ signal }) => answer(api.GET(`${ROOT}/jobs`, { params: { query: { resource, limit: JOBS } }, signal })),
    refetchInterval: ({ state }) => (state.data?.items.some(goesOn) === true ? GOING_MS : SELDOM_MS),
  });
  const newest = asked.data?.items[0];
  const before = useRef<Job>(undefined);
  useEffect(() => {
    const ended = before.current !== undefined && newest?.id === before.current.id && goesOn(before.current) && !goesOn(newest); // prettier-ignore
    before.current = newest;
    if (!ended) return;
    say(outcomeOf(newest));
    void queries.invalidateQueries({ queryKey: ['models', resource] });
  }, [queries, resource, newest]);
  return asked;
}

/** Has a model made. */
export function useTrain(resource: string, done: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (days: number) => answer(api.POST(`${ROOT}/train-model`, { body: { resource, days } })),
    onSuccess: done,
    onSettled: () => queries.invalidateQueries({ queryKey: ['models', resource, 'jobs'] }),
  });
}

/** Ends a training that waits or runs. */
export function useCancel(resource: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE(`${ROOT}/jobs/{id}`, { params: { path: { id } } })),
    onError: sayFault,
    onSettled: () => queries.invalidateQueries({ queryKey: ['models', resource, 'jobs'] }),
  });
}

/** What can be done with a host's models. */
export type Step =
  | { does: 'name'; alias: AliasName; version: string | null }
  | { does: 'roll-back' }
  | { does: 'remove'; version: string };

/** Lets an alias name something else; `force`: also a model that did not pass its gate. */
const name = (resource: string, alias: AliasName, version: string | null, force: boolean) =>
  answer(
    api.PUT(`${ROOT}/aliases/{resource}/{alias}`, {
      params: { path: { resource, alias } },
      body: { version, ...(force ? { force } : {}) },
    }),
  );

async function take(resource: string, step: Step, force: boolean): Promise<void> {
  if (step.does === 'name') await name(resource, step.alias, step.version, force);
  else if (step.does === 'remove')
    await answer(api.DELETE(`${ROOT}/models/{version}`, { params: { path: { version: step.version } } }));
  else await answer(api.POST(`${ROOT}/aliases/{resource}/rollback`, { params: { path: { resource } } }));
}

/** What both aliases name. */
type Named = Pick<Aliases, 'champion' | 'shadow'>;

/** Does a step. Both names can be had back as they were; what is removed is gone. */
export function useStep(resource: string) {
  const queries = useQueryClient();
  const anew = (): Promise<void> => queries.invalidateQueries({ queryKey: ['models', resource] });
  const restore = async (before: Named): Promise<void> => {
    // They stood there before, whatever their gates say.
    await name(resource, 'champion', before.champion?.version ?? null, true);
    await name(resource, 'shadow', before.shadow?.version ?? null, true);
  };
  return useMutation({
    mutationFn: ({ step, force }: { step: Step; force: boolean; said: string; before: Named }) =>
      take(resource, step, force),
    onSuccess: (_, { step, said, before }) => {
      const undo = (): void => void restore(before).then(anew, sayFault);
      say(said, step.does === 'remove' ? undefined : undo);
    },
    onSettled: anew,
  });
}

/** Hands a version's document to the browser as a file. */
export async function saveDocument(version: string): Promise<void> {
  const blob = await answer(api.GET(DOCUMENT, { params: { path: { version } }, parseAs: 'blob' }));
  const url = URL.createObjectURL(blob as Blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = `${version}.json`;
  link.click();
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
