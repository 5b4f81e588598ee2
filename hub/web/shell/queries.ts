import { useQuery } from '@tanstack/react-query';
import { answer, api } from '../api/client.ts';

/** How many alerts fire now; asked again whenever one changes. */
export function useFiringCount(): number {
  const { data } = useQuery({
    queryKey: ['alerts', 'count'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/alerts/active', { params: { query: { limit: 1 } }, signal })),
    refetchInterval: 30_000,
  });
  return data?.total ?? 0;
}

/** Hosts whose name holds a text. */
export function useHostsNamed(text: string, enabled: boolean) {
  return useQuery({
    queryKey: ['hosts', 'named', text],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/resources', { params: { query: { q: text, limit: 8 } }, signal })),
    enabled,
    placeholderData: (before) => before,
  });
}

/** Alerts that fire now, for jumping to them. */
export function useFiring(enabled: boolean) {
  return useQuery({
    queryKey: ['alerts', 'active', 'jump'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/monitoring/alerts/active', { params: { query: { limit: 50 } }, signal })),
    enabled,
  });
}
