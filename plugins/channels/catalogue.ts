import type { ChannelDefinition } from '#sdk';

/** Every channel that ships. The only file that names them; nothing is loaded before it is asked for. */
export const channels = {
  mail: () => import('./mail/index.ts').then((room) => room.mail),
  webhook: () => import('./webhook/index.ts').then((room) => room.webhook),
} as const satisfies Record<string, () => Promise<ChannelDefinition>>;
