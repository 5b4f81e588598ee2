import { useQuery } from '@tanstack/react-query';
import { answer, api } from '../../api/client.ts';
import type { paths } from '../../api/schema.gen.d.ts';
import { PAGE } from './queries.ts';
import type { AlertsSearch } from './search.ts';

type Listed<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': { items: (infer T)[] } } } } };
}
  ? T
  : never;

/** A way to tell people, as it was set up. */
export type Channel = Listed<'/api/v1/notifications/channels'>;
/** A kind of channel, and what it wants to know. */
export type Kind = Listed<'/api/v1/notifications/channel-kinds'>;
/** One field of a kind's settings. */
export type SettingField = Kind['settings']['properties'][string];
export type SettingValue = string | number | boolean | string[];
/** One piece of news for one channel. */
export type Delivery = Listed<'/api/v1/notifications/deliveries'>;

/** What is sent of a channel. */
export interface ChannelBody {
  name: string;
  settings: Record<string, SettingValue>;
  minSeverity: Channel['minSeverity'];
  enabled: boolean;
}

const ALL = { limit: 1000 };

/** Every channel. */
export function useChannels() {
  return useQuery({
    queryKey: ['alerts', 'channels'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/notifications/channels', { params: { query: ALL }, signal })),
  });
}

/** What channels can be made of. */
export function useKinds() {
  return useQuery({
    queryKey: ['channel-kinds'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/notifications/channel-kinds', { params: { query: ALL }, signal })),
    staleTime: Infinity,
  });
}

/** Messages, newest first; those on their way are looked at often. */
export function useDeliveries({ status, channel, page = 1 }: Pick<AlertsSearch, 'status' | 'channel' | 'page'>) {
  return useQuery({
    queryKey: ['alerts', 'deliveries', status, channel, page],
    queryFn: ({ signal }) => {
      const query = { status, channel, limit: PAGE, offset: (page - 1) * PAGE };
      return answer(api.GET('/api/v1/notifications/deliveries', { params: { query }, signal }));
    },
    refetchInterval: 5000,
    placeholderData: (before) => before,
  });
}

const by = (id: string) => ({ params: { path: { id } } });

/** Calls that change channels and messages. */
export const channelCalls = {
  add: (kind: string, body: ChannelBody) =>
    answer(api.POST('/api/v1/notifications/channels', { body: { kind, ...body } })),
  change: (id: string, body: ChannelBody) =>
    answer(api.PUT('/api/v1/notifications/channels/{id}', { ...by(id), body })),
  remove: (id: string) => answer(api.DELETE('/api/v1/notifications/channels/{id}', by(id))),
  test: (id: string) => answer(api.POST('/api/v1/notifications/channels/{id}/test', by(id))),
  retry: (id: string) => answer(api.POST('/api/v1/notifications/deliveries/{id}/retry', by(id))),
};
