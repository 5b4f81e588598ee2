import type { ChannelDefinition, Severity } from '#sdk';
import { roleAllows, type Principal } from '../../principal.ts';
import type { SavedChannel } from './channel-store.ts';
import { checkedSettings, shownSettings } from './channel-settings.ts';
import type { ChannelHealth } from './delivery-store.ts';
import { problems } from './errors.ts';
import type { Kinds } from './kinds.ts';
import type { NotificationsStore } from './store.ts';
import type { ChannelSettings } from './tables.ts';

/** What a person says of a channel. */
export interface ChannelWish {
  name: string;
  settings: ChannelSettings;
  minSeverity: Severity;
  enabled: boolean;
}

/** A channel as it is answered: secrets are hidden, and settings are for administrators alone. */
export interface ChannelView extends Omit<ChannelWish, 'settings'>, ChannelHealth {
  id: string;
  kind: string;
  formerNames: string[];
  settings?: ChannelSettings;
  createdMs: number;
  updatedMs: number;
}

const NOTHING: ChannelHealth = { waiting: 0, lastSentMs: null, lastFailedMs: null };

/** Settings of a kind that this version does not know are not shown: nobody can tell what of them is secret. */
function viewOf(
  channel: SavedChannel,
  { definition, health, role }: { definition?: ChannelDefinition; health?: ChannelHealth; role: Principal['role'] },
): ChannelView {
  const { settings, formerNames, ...rest } = channel;
  const shown =
    definition !== undefined && roleAllows(role, 'admin') ? { settings: shownSettings(definition, settings) } : {};
  return { ...rest, formerNames: [...formerNames], ...(health ?? NOTHING), ...shown };
}

/** The ways to tell a person that an org has set up. */
export function createChannels(given: { store: NotificationsStore; kinds: Kinds; wake: () => void }) {
  const { store, kinds, wake } = given;
  const view = async ({ org, role }: Principal, channel: SavedChannel): Promise<ChannelView> => {
    const health = (await store.health(org)).get(channel.id);
    return viewOf(channel, { definition: await kinds.find(channel.kind), health, role });
  };
  const demand = async (org: string, id: string): Promise<SavedChannel> => {
    const channel = await store.channel(org, id);
    if (channel === undefined) throw problems.notFound();
    return channel;
  };
  return {
    async list({ org, role }: Principal, { limit, offset }: { limit: number; offset: number }) {
      const [all, health] = [await store.channels(org), await store.health(org)];
      const items = await Promise.all(
        all.slice(offset, offset + limit).map(async (channel) => {
          const definition = await kinds.find(channel.kind);
          return viewOf(channel, { definition, health: health.get(channel.id), role });
        }),
      );
      return { items, total: all.length, limit, offset };
    },
    get: async (principal: Principal, id: string) => view(principal, await demand(principal.org, id)),
    async add(principal: Principal, { kind, ...wish }: ChannelWish & { kind: string }): Promise<ChannelView> {
      const settings = checkedSettings(await kinds.demand(kind), wish.settings);
      return view(principal, await store.addChannel(principal.org, kind, { ...wish, settings }));
    },
    async change(principal: Principal, id: string, wish: ChannelWish): Promise<ChannelView> {
      const { org } = principal;
      const definition = await kinds.demand((await demand(org, id)).kind);
      const changed = await store.changeChannel(org, id, (old) => ({
        ...wish,
        settings: checkedSettings(definition, wish.settings, old.settings),
      }));
      if (changed === undefined) throw problems.notFound();
      wake();
      return view(principal, changed);
    },
    async remove({ org }: Principal, id: string): Promise<void> {
      if (!(await store.removeChannel(org, id))) throw problems.notFound();
    },
  };
}
export type Channels = ReturnType<typeof createChannels>;
