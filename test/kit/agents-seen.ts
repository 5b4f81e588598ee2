import type { SignedInPerson, StartedUsers } from './sign-in.ts';

/** The texts of an agent's lines that somebody sees. */
export async function linesAt(hub: StartedUsers, agent: string, by: SignedInPerson): Promise<string[]> {
  const query = new URLSearchParams({ host: agent, from: '-1d', to: '+1h' });
  const { body } = await hub.call('GET', `/api/v1/logs/search?${query}`, { token: by.token });
  return (body['items'] as { text: string }[]).map(({ text }) => text).sort();
}

/** What the list of agents says of one. */
export async function rowAt(hub: StartedUsers, agent: string, by: SignedInPerson) {
  const { body } = await hub.call('GET', '/api/v1/agents', { token: by.token });
  return (body['items'] as Record<string, unknown>[]).find(({ id }) => id === agent);
}

/** Whether ingest lists an agent as connected, and monitoring shows it so. */
export function waysToSee(hub: StartedUsers, agent: string, by: SignedInPerson) {
  return {
    isListed: async () => (await rowAt(hub, agent, by))?.['connected'] === true,
    isShown: async () => {
      const { body } = await hub.call('GET', `/api/v1/monitoring/resources/${agent}`, { token: by.token });
      return body['connected'] === true;
    },
  };
}
