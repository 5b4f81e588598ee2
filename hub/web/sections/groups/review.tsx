import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { ApiError } from '../../api/client.ts';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { say } from '../../shell/toasts.tsx';
import { Changes } from './changes.tsx';
import { changesOf } from './document-words.ts';
import { keeping } from './merging.ts';
import { groupCalls, useGroupChange, useReach, type Group, type Reach, type Revision } from './queries.ts';
import { nowWords, reachWords } from './rollout-words.ts';
import type { GoToGroup } from './use-groups-search.ts';

/** What is about to be sent. */
export interface Wish {
  settings: PushedDocument;
  canaries: number;
}

function faultWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const listed = error instanceof ApiError ? error.facts['faults'] : undefined;
  const request = error instanceof ApiError && error.requestId !== '' ? ` (request ${error.requestId})` : '';
  return `${words}${Array.isArray(listed) ? ` ${listed.join('. ')}` : ''}${request}`;
}

type Kind = Reach['items'][number];

/** What of another group agents lose by it. */
const lostOf = ({ settings }: Kind, wish: Wish): number =>
  changesOf(settings, wish.settings).filter(({ after }) => after === undefined).length;

/** Agents that have one thing now: what they have before and after, and what is taken away from them. */
function Moving({
  kind,
  group,
  wish,
  keep,
}: {
  kind: Kind;
  group: Group;
  wish: Wish;
  keep(settings: PushedDocument): void;
}): ReactNode {
  const lost = lostOf(kind, wish);
  const isOther = kind.revision !== null && kind.group?.id !== group.id;
  return (
    <div className="group-moves">
      <h3>{nowWords(kind, group.id)}</h3>
      <Changes before={kind.settings} after={wish.settings} />
      {isOther && lost > 0 && (
        <>
          <p className="critical">
            {lost === 1 ? 'One thing' : `${lost} things`} that {kind.group?.name ?? 'a removed group'} pushed to them{' '}
            {lost === 1 ? 'is' : 'are'} taken away: an agent has what one group pushed, and nothing of the others.
          </p>
          <button type="button" onClick={() => keep(keeping(kind.settings, wish.settings))}>
            Keep {lost === 1 ? 'it' : 'them'} too
          </button>
        </>
      )}
    </div>
  );
}

/** What a push takes the place of, for everyone that it reaches. */
function Before({
  reach,
  held,
  group,
  wish,
  keep,
}: {
  reach: Reach;
  held: Revision | undefined;
  group: Group;
  wish: Wish;
  keep(settings: PushedDocument): void;
}): ReactNode {
  const { items, elsewhere } = reach;
  return (
    <>
      <p className="quiet">What is pushed takes the place of what the agents have from here, as a whole.</p>
      {items.length === 0 && <Changes before={held?.settings ?? {}} after={wish.settings} />}
      {items.map((kind) => (
        <Moving key={String(kind.revision)} kind={kind} group={group} wish={wish} keep={keep} />
      ))}
      {elsewhere.map(({ group: { id, name }, agents }) => (
        <p key={id} className="quiet">
          {agents === 1 ? 'One agent that fits too keeps' : `${agents} agents that fit too keep`} what was pushed to{' '}
          {name}.
        </p>
      ))}
    </>
  );
}

/** What changes for whom, and who gets it when, before it is sent. */
export function Review({
  group,
  held,
  wish,
  keep,
  back,
  go,
}: {
  group: Group;
  held: Revision | undefined;
  wish: Wish;
  keep(settings: PushedDocument): void;
  back(): void;
  go: GoToGroup;
}): ReactNode {
  const { run, busy } = useGroupChange();
  const { data: reach, error, refetch } = useReach(group.id);
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
      (failure) => setFault(faultWords(failure)),
    );
  return (
    <section>
      <h2 ref={heading} tabIndex={-1}>
        Look at it once more
      </h2>
      {reach !== undefined ? (
        <Before reach={reach} held={held} group={group} wish={wish} keep={keep} />
      ) : error !== null ? (
        <Fault error={error} what="what the agents have now" again={() => void refetch()} />
      ) : (
        <Skeleton height={160} width="100%" />
      )}
      <p>
        {reachWords(group.agents, wish.canaries)} Each tries it for the time that its own settings give, a minute unless
        they say otherwise, and takes it back by itself when it is not well with it; then nobody else gets it.
        {wish.canaries > 0 && group.agents > wish.canaries && ' Until then the others keep what they have.'}
      </p>
      {fault !== undefined && (
        <p className="critical" role="alert">
          {fault}
        </p>
      )}
      <div className="row">
        <button type="button" className="primary" disabled={busy || reach === undefined} onClick={push}>
          Push to {group.name}
        </button>
        <button type="button" onClick={back}>
          Change it
        </button>
      </div>
    </section>
  );
}
