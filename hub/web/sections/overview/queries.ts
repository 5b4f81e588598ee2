import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answer, api } from '../../api/client.ts';
import { useLiveEvent } from '../../live/use-live.ts';

/** More hosts than this are asked for less often. */
const MANY = 200;

/** Every host with a verdict; asked anew when an alert changes. */
export function useOverview() {
  const queries = useQueryClient();
  useLiveEvent('alert', () => void queries.invalidateQueries({ queryKey: ['overview'] }));
  return useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/monitoring/overview', { signal })),
    refetchInterval: ({ state }) => ((state.data?.total ?? 0) > MANY ? 30_000 : 10_000),
  });
}
/** A host of the overview. */
export type HostRow = NonNullable<ReturnType<typeof useOverview>['data']>['hosts'][number];

/** A row that is scrolled past at once asks for nothing. */
const STAYS_MS = 250;

/** The last quarter of an hour of a host's CPU, for its row. */
export function useCpuHistory(id: string) {
  const [stays, setStays] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setStays(true), STAYS_MS);
    return () => clearTimeout(timer);
  }, []);
  return useQuery({
    queryKey: ['host', id, 'cpu-history'],
    queryFn: ({ signal }) => {
      const query = { name: 'system.cpu.busy', from: '-15m', step: '15s', 'attr.cpu.logical_number': '' };
      return answer(api.GET('/api/v1/monitoring/metrics/{id}', { params: { path: { id }, query }, signal }));
    },
    select: ({ from, to, series }) => ({ from, to, times: series[0]?.times ?? [], values: series[0]?.avg ?? [] }),
    enabled: stays,
    staleTime: 30_000,
    refetchInterval: 30_000,
  });
}

/** What fires now, worst and newest first. */
export function useFiringNow() {
  return useQuery({
    queryKey: ['alerts', 'active', 'overview'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/alerts/active', { params: { query: { limit: 5 } }, signal })),
    refetchInterval: 30_000,
  });
}

/** Hosts that lost lines in the last day, by id. */
export function useHostLosses() {
  return useQuery({
    queryKey: ['losses', 'hosts'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/logs/losses/hosts', { signal })),
    select: ({ items }) => new Map(items.map((one) => [one.resource, one])),
    refetchInterval: 60_000,
  });
}
