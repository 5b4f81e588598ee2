import { useNavigate, useSearch } from '@tanstack/react-router';
import { readGroupsSearch, type GroupsSearch } from './search.ts';

/** Goes to another group or part of it. */
export type GoToGroup = (to: GroupsSearch) => void;

/** What the address says of the groups, and the way to others. */
export function useGroupsSearch(): { search: GroupsSearch; go: GoToGroup } {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const go: GoToGroup = ({ group, part, draft }) => {
    const search = (old: Record<string, unknown>) => ({ ...old, group, part, draft });
    void navigate({ to: '.', search: search as never });
  };
  return { search: readGroupsSearch(raw), go };
}
