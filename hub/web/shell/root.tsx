import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useSyncExternalStore, useState, type ReactNode } from 'react';
import { queryClient } from '../api/queries.ts';
import { currentUser, onUser, refresh } from '../api/session.ts';
import { Frame } from './frame.tsx';
import { Register, SignIn } from './sign-in.tsx';

/** Who is signed in decides what is shown: the page, or the way in. */
export function Root(): ReactNode {
  const user = useSyncExternalStore(onUser, currentUser);
  const [known, setKnown] = useState(false);
  const { pathname, search } = useRouterState({ select: ({ location }) => location });
  useEffect(() => {
    const asked = (): void => setKnown(true);
    refresh().then(asked, asked);
  }, []);
  useEffect(() => {
    // What one person may see is not for the next one on the same page.
    if (user === undefined) queryClient.clear();
  }, [user]);
  const navigate = useNavigate();
  const { invitation } = search as { invitation?: string };
  if (pathname === '/register' && known)
    return <Register invitation={invitation ?? ''} done={() => void navigate({ to: '/' })} />;
  if (user !== undefined) return <Frame key={user.id} user={user} />;
  return known ? <SignIn /> : null;
}
