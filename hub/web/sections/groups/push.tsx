import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { ApiError } from '../../api/client.ts';
import { Field } from '../../shell/dialog.tsx';
import { say } from '../../shell/toasts.tsx';
import { Changes } from './changes.tsx';
import { draftOf, readCanaries, readDraft, type Draft } from './draft.ts';
import { CollectorFields, DropFields, LevelField, RedactFields } from './push-fields.tsx';
import { groupCalls, useCollectorNames, useGroupAgents, useGroupChange, type Group, type Revision } from './queries.ts';
import { heldOf, reachWords } from './rollout-words.ts';
import type { GoToGroup } from './use-groups-search.ts';

/** What is about to be sent. */
interface Wish {
  settings: PushedDocument;
  canaries: number;
}

function faultWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const listed = error instanceof ApiError ? error.facts['faults'] : undefined;
  const request = error instanceof ApiError && error.requestId !== '' ? ` (request ${error.requestId})` : '';
  return `${words}${Array.isArray(listed) ? ` ${listed.join('. ')}` : ''}${request}`;
}

/** What changes and who gets it, before it is sent. */
function Review({
  group,
  held,
  wish,
  back,
  go,
}: {
  group: Group;
  held: Revision | undefined;
  wish: Wish;
  back(): void;
  go: GoToGroup;
}): ReactNode {
  const { run, busy } = useGroupChange();
  const [fault, setFault] = useState<string>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const push = (): void =>
    run(
      () => groupCalls.push(group.id, wish),
      ({ revision }) => {
        say(`Revision ${revision} is pushed to ${group.name}`);
        go({ group: group.id });
      },
      (error) => setFault(faultWords(error)),
    );
  return (
    <section>
      <h2 ref={heading} tabIndex={-1}>
        Look at it once more
      </h2>
      <p className="quiet">
        {held === undefined
          ? 'Nothing that was pushed holds now.'
          : `Compared with revision ${held.revision}, by ${held.by}. What is pushed takes its place as a whole.`}
      </p>
      <Changes before={held?.settings ?? {}} after={wish.settings} />
      <p>
        {reachWords(group.agents, wish.canaries)} Each tries it for the time that its own settings give, a minute unless
        they say otherwise, and takes it back by itself when it is not well with it; then nobody else gets it.
      </p>
      {fault !== undefined && (
        <p className="critical" role="alert">
          {fault}
        </p>
      )}
      <div className="row">
        <button type="button" className="primary" disabled={busy} onClick={push}>
          Push to {group.name}
        </button>
        <button type="button" onClick={back}>
          Change it
        </button>
      </div>
    </section>
  );
}

/** Settings for a group: written, looked at once more, pushed. */
export function Push({
  group,
  revisions,
  draft: from,
  go,
}: {
  group: Group;
  revisions: readonly Revision[];
  draft: string | undefined;
  go: GoToGroup;
}): ReactNode {
  // What others push meanwhile changes what it is compared with, not what is being written.
  const held = heldOf(revisions);
  const begin = revisions.find(({ revision }) => String(revision) === from) ?? held;
  const [draft, setDraft] = useState<Draft>(() => draftOf(begin?.settings ?? {}));
  const [first, setFirst] = useState('1');
  const [tried, setTried] = useState(false);
  const [wish, setWish] = useState<Wish>();
  const form = useRef<HTMLFormElement>(null);
  const { data: agents } = useGroupAgents(group.id);
  const { data: known } = useCollectorNames(agents?.items.find(({ connected }) => connected)?.id);
  useEffect(() => {
    // Who came by a button, or back from the review, goes on from here by keyboard.
    if (wish === undefined) form.current?.querySelector<HTMLElement>('select')?.focus();
  }, [wish]);
  const read = readDraft(draft);
  const canaries = readCanaries(first);
  const review = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (read.document !== undefined && canaries.canaries !== undefined)
      setWish({ settings: read.document, canaries: canaries.canaries });
    else requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('.field:has(.fault) input')?.focus());
  };
  if (wish !== undefined)
    return <Review group={group} held={held} wish={wish} back={() => setWish(undefined)} go={go} />;
  const faults = tried ? (read.faults ?? {}) : {};
  const count = Object.keys(faults).length + (tried && canaries.fault !== undefined ? 1 : 0);
  const given = { draft, faults, set: (change: Partial<Draft>) => setDraft({ ...draft, ...change }) };
  return (
    <form ref={form} className="group-form" onSubmit={review} noValidate>
      <LevelField {...given} />
      <CollectorFields {...given} known={known ?? []} />
      <DropFields {...given} />
      <RedactFields {...given} />
      <Field
        label="Agents that try it first"
        hint="The others get it when all of those are well with it. 0: all get it at once."
        fault={tried ? canaries.fault : undefined}
      >
        <input
          className="group-few"
          inputMode="numeric"
          size={6}
          value={first}
          onChange={(event) => setFirst(event.target.value)}
        />
      </Field>
      {faults[''] !== undefined && <p className="critical">{faults['']}</p>}
      {count > 0 && (
        <p className="critical" role="status">
          {count === 1 ? 'One thing is not right yet.' : `${count} things are not right yet.`}
        </p>
      )}
      <div className="row">
        <button type="submit" className="primary">
          Review
        </button>
        <button type="button" onClick={() => go({ group: group.id })}>
          Cancel
        </button>
      </div>
    </form>
  );
}
