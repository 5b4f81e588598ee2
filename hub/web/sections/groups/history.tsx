import type { ReactNode } from 'react';
import { List } from '../settings/list.tsx';
import { missing } from '../settings/rights.ts';
import { When } from '../settings/when.tsx';
import { linesOf, summaryOf } from './document-words.ts';
import type { Group, Revision } from './queries.ts';
import type { GoToGroup } from './use-groups-search.ts';

function Outcome({ revision: { stage, haltedBecause } }: { revision: Revision }): ReactNode {
  if (stage === 'halted') return <span className="small">{haltedBecause}</span>;
  return stage === 'all' ? <span className="good">✓ went to all</span> : <span className="info">◔ a few try it</span>;
}

function What({ revision: { settings, restores } }: { revision: Revision }): ReactNode {
  const lines = linesOf(settings);
  const origin = restores === null ? '' : restores === 0 ? 'Undo of all: ' : `Undo, as revision ${restores}: `;
  if (lines.length === 0) return `${origin}${summaryOf(settings)}`;
  return (
    <details>
      <summary>
        {origin}
        {summaryOf(settings)}
      </summary>
      <ul className="small">
        {lines.map(({ key, name, value }) => (
          <li key={key}>
            {name}: {value}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** What was pushed to a group, by whom and when, newest first. */
export function History({
  group,
  revisions,
  go,
}: {
  group: Group;
  revisions: readonly Revision[];
  go: GoToGroup;
}): ReactNode {
  const may = missing('admin') === undefined;
  const items = revisions.map((revision) => ({ ...revision, id: String(revision.revision) }));
  return (
    <section>
      <h2>History</h2>
      <List
        of={{ data: { items }, error: null, refetch: () => undefined }}
        what="What was pushed"
        columns={['Revision', 'What', 'Became of it', 'By', ...(may ? [''] : [])]}
        empty="Nothing was pushed yet."
      >
        {(revision) => (
          <>
            <td>{revision.revision}</td>
            <td>
              <What revision={revision} />
            </td>
            <td>
              <Outcome revision={revision} />
            </td>
            <td className="group-start">
              {revision.by}{' '}
              <span className="quiet small group-when">
                <When ms={revision.atMs} />
              </span>
            </td>
            {may && (
              <td>
                <button
                  type="button"
                  onClick={() => go({ group: group.id, part: 'push', draft: String(revision.revision) })}
                >
                  Begin with it
                </button>
              </td>
            )}
          </>
        )}
      </List>
    </section>
  );
}
