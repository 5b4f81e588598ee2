import { useState, type ReactNode } from 'react';
import { Confirm } from '../../shell/dialog.tsx';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { say, sayFault } from '../../shell/toasts.tsx';
import { missing } from '../settings/rights.ts';
import { When } from '../settings/when.tsx';
import { Changes } from './changes.tsx';
import { linesOf } from './document-words.ts';
import { GroupAgents } from './group-agents.tsx';
import { History } from './history.tsx';
import { LabelsOf } from './labels-of.tsx';
import { Push } from './push.tsx';
import { groupCalls, useGroupChange, useRevisions, type Group, type Revision } from './queries.ts';
import { heldOf, stageWords, undoOf } from './rollout-words.ts';
import type { GroupsSearch } from './search.ts';
import type { GoToGroup } from './use-groups-search.ts';

/** What was pushed last, and how far it is. */
function PushedNow({ newest, held }: { newest: Revision | undefined; held: Revision | undefined }): ReactNode {
  if (newest === undefined)
    return (
      <p className="quiet">
        Nothing was pushed to this group, and it changes nothing until something is. Levels, intervals, and rules that
        leave lines out or replace parts of them can be pushed; a program, a path, an output or a privilege never.
      </p>
    );
  const lines = linesOf(newest.settings);
  return (
    <>
      <p>
        Revision {newest.revision}
        {newest.restores !== null &&
          (newest.restores === 0 ? ' (takes back all)' : ` (brings back ${newest.restores})`)}
        , pushed by {newest.by} <When ms={newest.atMs} />.{' '}
        <span className={newest.stage === 'halted' ? 'critical' : undefined}>{stageWords(newest)}</span>
        {newest.stage === 'halted' &&
          ` Agents without it keep ${held === undefined || held.restores === 0 ? 'what they had' : `revision ${held.revision}`}.`}
      </p>
      {lines.length === 0 ? (
        <p className="quiet">
          {newest.restores === 0
            ? 'Nothing is pushed to this group: its agents have what was pushed to a broader one that fits them, or their own settings.'
            : 'It says nothing: agents have their own settings.'}
        </p>
      ) : (
        <dl className="group-lines">
          {lines.map(({ key, name, value }) => (
            <div key={key}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

/** Asks before what held before the newest revision is pushed to all agents. */
function UndoDialog({
  group,
  revisions,
  close,
}: {
  group: Group;
  revisions: readonly Revision[];
  close(): void;
}): ReactNode {
  const { run } = useGroupChange();
  const undo = undoOf(revisions);
  if (undo === undefined) return null;
  const act = (): void =>
    run(() => groupCalls.undo(group.id, undo.revision), ({ revision }) => say(`Revision ${undo.revision} is undone by revision ${revision}`), sayFault); // prettier-ignore
  return (
    <Confirm title={`Undo revision ${undo.revision}?`} verb={`Undo revision ${undo.revision}`} close={close} act={act}>
      <div className="stack">
        <p>
          {undo.restores === 0
            ? 'All that was pushed is taken back: the agents have what was pushed to a broader group that fits them, or their own settings.'
            : `What revision ${undo.restores} said is pushed again.`}{' '}
          It goes to all agents of the group at once.
        </p>
        <Changes before={revisions[0]?.settings ?? {}} after={undo.settings} />
      </div>
    </Confirm>
  );
}

/** What can be done with the group; who may not is told why instead. */
function Actions({ group, revisions, go }: { group: Group; revisions: readonly Revision[]; go: GoToGroup }): ReactNode {
  const [asked, ask] = useState<'undo' | 'remove'>();
  const { run, busy } = useGroupChange();
  const off = missing('admin', 'Pushing settings');
  if (off !== undefined) return <p className="quiet">{off}</p>;
  const remove = (): void =>
    run(
      () => groupCalls.remove(group.id),
      () => {
        say(`The group ${group.name} is removed`);
        go({});
      },
      sayFault,
    );
  const undo = undoOf(revisions);
  return (
    <div className="row">
      <button type="button" className="primary" onClick={() => go({ group: group.id, part: 'push' })}>
        Push settings
      </button>
      <button
        type="button"
        disabled={undo === undefined || busy}
        title={undo === undefined ? 'Nothing was pushed that could be undone' : undefined}
        onClick={() => ask('undo')}
      >
        Undo{undo === undefined ? '' : ` revision ${undo.revision}`}
      </button>
      <button type="button" className="danger" disabled={busy} onClick={() => ask('remove')}>
        Remove the group
      </button>
      {asked === 'undo' && <UndoDialog group={group} revisions={revisions} close={() => ask(undefined)} />}
      {asked === 'remove' && (
        <Confirm title={`Remove the group ${group.name}?`} verb="Remove" close={() => ask(undefined)} act={remove}>
          <p>
            What was pushed to it is taken back from its agents. They stay, and have what was pushed to a broader group
            if one fits them.
          </p>
        </Confirm>
      )}
    </div>
  );
}

/** One group: what is pushed to it, its agents, and what was pushed before; or the form that pushes more. */
export function OneGroup({ group, search, go }: { group: Group; search: GroupsSearch; go: GoToGroup }): ReactNode {
  const { data, error, refetch } = useRevisions(group.id);
  if (error !== null && data === undefined)
    return <Fault error={error} what={`what was pushed to ${group.name}`} again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={320} width="100%" />;
  const revisions = data.items;
  const isPushing = search.part === 'push' && missing('admin') === undefined;
  return (
    <>
      <section>
        <button type="button" className="link" onClick={() => go(isPushing ? { group: group.id } : {})}>
          ← {isPushing ? `Back to ${group.name}` : 'All groups'}
        </button>
        <div className="row">
          <h2 className="group-name">{isPushing ? `Push settings to ${group.name}` : group.name}</h2>
          <LabelsOf labels={group.labels} />
        </div>
        {!isPushing && <Actions group={group} revisions={revisions} go={go} />}
      </section>
      {isPushing ? (
        <Push key={search.draft} group={group} revisions={revisions} draft={search.draft} go={go} />
      ) : (
        <>
          <section>
            <h2>Pushed now</h2>
            <PushedNow newest={revisions[0]} held={heldOf(revisions)} />
          </section>
          <GroupAgents group={group} />
          <History group={group} revisions={revisions} go={go} />
        </>
      )}
    </>
  );
}
