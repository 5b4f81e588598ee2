import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { Field } from '../../shell/dialog.tsx';
import { draftOf, readCanaries, readDraft, type Draft } from './draft.ts';
import { CollectorFields, DropFields, LevelField, RedactFields } from './push-fields.tsx';
import { useCollectorNames, useGroupAgents, type Group, type Revision } from './queries.ts';
import { Review, type Wish } from './review.tsx';
import { heldOf } from './rollout-words.ts';
import type { GoToGroup } from './use-groups-search.ts';

function Ends({ cancel }: { cancel(): void }): ReactNode {
  return (
    <div className="row">
      <button type="submit" className="primary">
        Review
      </button>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </div>
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
  const keep = (settings: PushedDocument): void => {
    const kept = draftOf(settings);
    setDraft(kept);
    // Rules of two groups may be too many for one.
    const { document } = readDraft(kept);
    setWish(document === undefined || wish === undefined ? undefined : { ...wish, settings: document });
  };
  if (wish !== undefined)
    return <Review group={group} held={held} wish={wish} keep={keep} back={() => setWish(undefined)} go={go} />;
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
      <Ends cancel={() => go({ group: group.id })} />
    </form>
  );
}
