import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Command } from '../../shell/states.tsx';
import { List } from '../settings/list.tsx';
import { missing } from '../settings/rights.ts';
import { When } from '../settings/when.tsx';
import { summaryOf } from './document-words.ts';
import { LabelsOf } from './labels-of.tsx';
import { NewGroup } from './new-group.tsx';
import type { Group } from './queries.ts';
import type { GoToGroup } from './use-groups-search.ts';

/** How far all agents of a group are, in a few words. */
function Progress({ group: { newest, states, agents } }: { group: Group }): ReactNode {
  if (newest === null) return null;
  const of = (name: keyof typeof states): number => states[name];
  const bad = of('rolled-back') + of('refused');
  if (newest.restores === 0) return <span className="quiet">taken back</span>;
  const isHalted = newest.stage === 'halted';
  return (
    <>
      {isHalted ? (
        <span className="critical">halted</span>
      ) : (
        <span className={of('applied') === agents ? 'good' : undefined}>
          {of('applied')} of {agents} healthy
        </span>
      )}
      {isHalted && of('kept') > 0 && <span>, {of('kept')} keep what they had</span>}
      {isHalted && of('applied') > 0 && <span>, {of('applied')} healthy with it</span>}
      {of('trying') > 0 && <span className="info">, {of('trying')} trying</span>}
      {bad > 0 && <span className="critical">, {bad} took it back or refused it</span>}
    </>
  );
}

function NoGroups(): ReactNode {
  return (
    <>
      <p>
        A group is the agents that have all of its labels: make one, and settings can be pushed to all of its agents
        together. A few try them first, and every agent that is not well with them takes them back by itself.
      </p>
      <p>
        An agent has the labels of the join token that it came with (Hosts, Add a host), those under <code>labels</code>{' '}
        in its settings when it joined, and <code>hostname</code>. On the machine of this hub, a token with a label is
        made by (FOLDER is the hub’s data folder; <code>make start</code> has <code>data/hub</code>)
      </p>
      <Command line="outrider-hub token create --label role=web --data FOLDER" />
    </>
  );
}

/** All groups of agents, what each has, and how far it is. */
export function GroupList({ groups, go }: { groups: readonly Group[]; go: GoToGroup }): ReactNode {
  const none = groups.length === 0;
  return (
    <>
      <section>
        <h2>{none ? 'No group of agents yet' : 'Groups of agents'}</h2>
        {none ? (
          <NoGroups />
        ) : (
          <List
            of={{ data: { items: [...groups] }, error: null, refetch: () => undefined }}
            what="Groups of agents"
            columns={['Name', 'Labels', 'Agents', 'Pushed', 'How far']}
            empty=""
          >
            {(group) => (
              <>
                <td>
                  <Link
                    to="/settings/$tab"
                    params={{ tab: 'groups' }}
                    search={(old) => ({ from: old.from, to: old.to, group: group.id })}
                  >
                    {group.name}
                  </Link>
                </td>
                <td>
                  <LabelsOf labels={group.labels} />
                </td>
                <td>{group.agents}</td>
                <td>
                  {group.newest === null ? (
                    <span className="quiet">nothing yet</span>
                  ) : (
                    <>
                      {summaryOf(group.newest.settings)}{' '}
                      <span className="quiet small">
                        <When ms={group.newest.atMs} />
                      </span>
                    </>
                  )}
                </td>
                <td className="group-start">
                  <Progress group={group} />
                </td>
              </>
            )}
          </List>
        )}
        {groups.length > 0 && (
          <p className="quiet small">
            An agent that fits several groups has what was pushed to the one with the most labels, and nothing of the
            others: before a push it is shown what each loses by it. A group that nothing was pushed to takes no agent
            from another.
          </p>
        )}
      </section>
      <section>
        <h2>Make a group</h2>
        {missing('admin') === undefined ? (
          <NewGroup made={(group) => go({ group })} />
        ) : (
          <p className="quiet">{missing('admin', 'Making groups and pushing settings')}</p>
        )}
      </section>
    </>
  );
}
