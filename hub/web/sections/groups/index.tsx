import type { ReactNode } from 'react';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { GroupList } from './group-list.tsx';
import { OneGroup } from './one-group.tsx';
import { useGroups } from './queries.ts';
import { useGroupsSearch } from './use-groups-search.ts';
import './groups.css';

/** Which settings do the agents have from here, and how far are they with them? All groups, or the one that the address names. */
export function AgentGroups(): ReactNode {
  const groups = useGroups();
  const { search, go } = useGroupsSearch();
  if (groups.error !== null && groups.data === undefined)
    return <Fault error={groups.error} what="the groups of agents" again={() => void groups.refetch()} />;
  if (groups.data === undefined) return <Skeleton height={320} width="100%" />;
  const { items } = groups.data;
  if (search.group === undefined) return <GroupList groups={items} go={go} />;
  const open = items.find(({ id }) => id === search.group);
  if (open !== undefined) return <OneGroup key={open.id} group={open} search={search} go={go} />;
  return (
    <div className="state">
      <h2>There is no such group</h2>
      <p>It may have been removed: what was pushed to it was taken back then.</p>
      <button type="button" onClick={() => go({})}>
        To all groups
      </button>
    </div>
  );
}
