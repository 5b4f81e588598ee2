import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api } from '../../api/client.ts';
import { begin, type User } from '../../api/session.ts';
import { say, sayFault } from '../../shell/toasts.tsx';
import { readInstaller } from './install-line.ts';

export type Role = User['role'];

const page = { params: { query: { limit: 200 } } };

/** A change: what is asked anew afterwards, and what is said. */
function useChange<Given, Answer>(
  work: (given: Given) => Promise<Answer>,
  { anew, done }: { anew: string; done?: string },
) {
  const queries = useQueryClient();
  return useMutation<Answer, Error, Given>({
    mutationFn: work,
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [anew] });
      if (done !== undefined) say(done);
    },
    onError: sayFault,
  });
}

export const useTokens = () =>
  useQuery({ queryKey: ['tokens'], queryFn: () => answer(api.GET('/api/v1/agents/tokens', page)) });

export const useAgents = () =>
  useQuery({
    queryKey: ['agents'],
    queryFn: () => answer(api.GET('/api/v1/agents', page)),
    refetchInterval: 5000,
  });

/** What people call the hosts, by id. */
export const useHostNames = () =>
  useQuery({
    queryKey: ['hosts', 'settings', 'names'],
    queryFn: async () => {
      const query = { limit: 1000 };
      const { items } = await answer(api.GET('/api/v1/monitoring/resources', { params: { query } }));
      return new Map(items.map(({ id, name }) => [id, name]));
    },
    refetchInterval: 10_000,
  });

/** What a join token is for. */
export interface TokenWish {
  uses: number;
  expiresInHours: number;
  labels: Record<string, string>;
  ephemeral: boolean;
}

/** The script that installs an agent; null where this hub has no packages. */
export const useInstaller = () =>
  useQuery({
    queryKey: ['installer'],
    queryFn: async () => {
      const reply = await fetch('/downloads/install.sh');
      // Digests are made in secure contexts only: without one, as without packages, the page says how else.
      if (!reply.ok || !isSecureContext) return null;
      return (await readInstaller(await reply.text())) ?? null;
    },
  });

export const useMakeToken = () =>
  useChange((body: TokenWish) => answer(api.POST('/api/v1/agents/tokens', { body })), { anew: 'tokens' });

export const useWithdrawToken = () =>
  useChange((id: string) => answer(api.DELETE('/api/v1/agents/tokens/{id}', { params: { path: { id } } })), {
    anew: 'tokens',
    done: 'The token is withdrawn: no agent can use it any more.',
  });

export const useRevoke = () =>
  useChange((id: string) => answer(api.POST('/api/v1/agents/{id}/revoke', { params: { path: { id } } })), {
    anew: 'agents',
    done: 'The agent is cut off.',
  });

export const usePeople = () =>
  useQuery({ queryKey: ['people'], queryFn: () => answer(api.GET('/api/v1/users', page)) });

export const useChangePerson = () =>
  useChange(
    ({ id, ...body }: { id: string; role?: Role; disabled?: boolean }) =>
      answer(api.PUT('/api/v1/users/{id}', { params: { path: { id } }, body })),
    { anew: 'people', done: 'Changed.' },
  );

export const useRemovePerson = () =>
  useChange((id: string) => answer(api.DELETE('/api/v1/users/{id}', { params: { path: { id } } })), {
    anew: 'people',
    done: 'The person is removed, with their keys and sessions.',
  });

export const useInvitations = () =>
  useQuery({ queryKey: ['invitations'], queryFn: () => answer(api.GET('/api/v1/users/invitations', page)) });

export const useInvite = () =>
  useChange(
    (body: { role: Role; email?: string; days: number }) => answer(api.POST('/api/v1/users/invitations', { body })),
    { anew: 'invitations' },
  );

export const useWithdrawInvitation = () =>
  useChange((id: string) => answer(api.DELETE('/api/v1/users/invitations/{id}', { params: { path: { id } } })), {
    anew: 'invitations',
    done: 'The invitation is withdrawn.',
  });

export const useOrganisation = () =>
  useQuery({ queryKey: ['organisation'], queryFn: () => answer(api.GET('/api/v1/users/settings')) });

export const useChangeOrganisation = () =>
  useChange(
    (body: { name: string; registrationOpen: boolean }) => answer(api.PUT('/api/v1/users/settings', { body })),
    { anew: 'organisation', done: 'Saved.' },
  );

export const useProfile = () =>
  useQuery({ queryKey: ['profile'], queryFn: () => answer(api.GET('/api/v1/users/profile')) });

export const useChangeProfile = () =>
  useChange((body: { username?: string; email?: string }) => answer(api.PUT('/api/v1/users/profile', { body })), {
    anew: 'profile',
    done: 'Saved.',
  });

export const useChangePassword = () =>
  useChange(
    async (body: { old: string; new: string }) => begin(await answer(api.POST('/api/v1/users/password', { body }))),
    { anew: 'sessions', done: 'Your password is changed, and all other sessions have ended.' },
  );

export const useSessions = () =>
  useQuery({ queryKey: ['sessions'], queryFn: () => answer(api.GET('/api/v1/users/sessions', page)) });

export const useEndSession = () =>
  useChange((id: string) => answer(api.DELETE('/api/v1/users/sessions/{id}', { params: { path: { id } } })), {
    anew: 'sessions',
    done: 'The session is ended.',
  });

export const useKeys = () =>
  useQuery({ queryKey: ['keys'], queryFn: () => answer(api.GET('/api/v1/users/api-keys', page)) });

export const useMakeKey = () =>
  useChange(
    (body: { name: string; role: Role; days?: number }) => answer(api.POST('/api/v1/users/api-keys', { body })),
    { anew: 'keys' },
  );

export const useRemoveKey = () =>
  useChange((id: string) => answer(api.DELETE('/api/v1/users/api-keys/{id}', { params: { path: { id } } })), {
    anew: 'keys',
    done: 'The key is removed.',
  });

export const useRetention = () =>
  useQuery({ queryKey: ['retention'], queryFn: () => answer(api.GET('/api/v1/monitoring/retention')) });

/** How long samples are kept. */
export type Retention = NonNullable<ReturnType<typeof useRetention>['data']>['settings'];

export const useChangeRetention = () =>
  useChange((body: Retention) => answer(api.PUT('/api/v1/monitoring/retention', { body })), {
    anew: 'retention',
    done: 'Saved. What is older goes within ten minutes.',
  });
