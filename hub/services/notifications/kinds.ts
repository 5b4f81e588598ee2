import type { ChannelDefinition } from '#sdk';
import type { ChannelCatalogue } from '../../service.ts';
import { problems } from './errors.ts';

/** The kinds of channels that ship. Each is loaded when it is first asked for. */
export function createKinds(catalogue: ChannelCatalogue) {
  const names = Object.keys(catalogue);
  const find = async (name: string): Promise<ChannelDefinition | undefined> =>
    Object.hasOwn(catalogue, name) ? catalogue[name]?.() : undefined;
  return {
    find,
    async demand(name: string): Promise<ChannelDefinition> {
      const found = await find(name);
      if (found !== undefined) return found;
      throw problems.unknownKind(`There is no kind of channel “${name}”; there are: ${names.join(', ')}.`);
    },
    all: (): Promise<ChannelDefinition[]> =>
      Promise.all(Object.values(catalogue).map((load) => load() as Promise<ChannelDefinition>)),
  };
}
export type Kinds = ReturnType<typeof createKinds>;
