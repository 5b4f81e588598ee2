import type { ReactNode } from 'react';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { useMay } from '../alerts/use-may.ts';
import { When } from '../settings/when.tsx';
import { GateChecks, GateMark } from './gate.tsx';
import { kindOf, Learnt } from './lineage.tsx';
import { useModel, type Aliases, type AliasName, type Model, type Step } from './queries.ts';
import { useOf } from './words.ts';

/** What both halves stand on. */
export interface JudgingGiven {
  resource: string;
  isConnected: boolean;
  aliases: Aliases;
  /** The newest version. */
  newest: Model | undefined;
  ask(step: Step): void;
  open(version: string): void;
}

const SIGNS = { good: '✓', quiet: '◔', critical: '✕' } as const;

function Facts({
  alias,
  named,
  given,
}: {
  alias: AliasName;
  named: NonNullable<Aliases['champion']>;
  given: JudgingGiven;
}): ReactNode {
  const { resource, isConnected, aliases, open } = given;
  const { data: model, error, refetch } = useModel(resource, named.version);
  const use = useOf(aliases.told, alias, named.version, isConnected);
  return (
    <>
      <p>
        <button type="button" className="link mono model-version" onClick={() => open(named.version)}>
          {named.version}
        </button>
      </p>
      <p className={use.tone}>
        {SIGNS[use.tone]} {use.words}
      </p>
      <dl className="model-facts">
        <div>
          <dt>{alias === 'champion' ? 'Judges since' : 'Beside since'}</dt>
          <dd>
            <When ms={named.sinceMs} />, by {named.by}
          </dd>
        </div>
        {model !== undefined && (
          <>
            <div>
              <dt>Learnt from</dt>
              <dd>
                <Learnt model={model} />
              </dd>
            </div>
            <div>
              <dt>Kind</dt>
              <dd>{kindOf(model)}</dd>
            </div>
            <div>
              <dt>Gate</dt>
              <dd>
                <GateMark gate={model.gate} />
                <GateChecks gate={model.gate} />
              </dd>
            </div>
          </>
        )}
      </dl>
      {error !== null && model === undefined && <Fault error={error} what="the model" again={() => void refetch()} />}
      {error === null && model === undefined && <Skeleton height={120} />}
    </>
  );
}

function Champion({ given }: { given: JudgingGiven }): ReactNode {
  const may = useMay('editor');
  const { aliases, newest, ask } = given;
  const { before } = aliases;
  const none = may.title ?? (before === null ? 'No model judged before this one' : undefined);
  return (
    <section aria-label="Champion">
      <h2>Champion</h2>
      {aliases.champion === null ? (
        <p className="quiet">
          No model of the hub judges. The agent judges each metric by its own past, and all together by a model of its
          own once it has made one.
          {newest?.gate.passed === false && ` ${newest.version}, the newest, did not pass its gate.`}
        </p>
      ) : (
        <Facts alias="champion" named={aliases.champion} given={given} />
      )}
      <div className="row">
        <button
          type="button"
          disabled={may.disabled || before === null}
          title={none}
          onClick={() => ask({ does: 'roll-back' })}
        >
          Roll back
        </button>
        {aliases.champion !== null && (
          <button type="button" {...may} onClick={() => ask({ does: 'name', alias: 'champion', version: null })}>
            Take away
          </button>
        )}
      </div>
    </section>
  );
}

function Shadow({ given }: { given: JudgingGiven }): ReactNode {
  const may = useMay('editor');
  const { shadow } = given.aliases;
  return (
    <section aria-label="Shadow">
      <h2>Shadow</h2>
      {shadow === null ? (
        <p className="quiet">
          None. A model that is trained while another judges stands here: it is scored beside the champion for a day,
          and nobody is told of what it finds.
        </p>
      ) : (
        <>
          <Facts alias="shadow" named={shadow} given={given} />
          <div className="row">
            <button
              type="button"
              {...may}
              onClick={() => given.ask({ does: 'name', alias: 'champion', version: shadow.version })}
            >
              Promote to champion
            </button>
            <button type="button" {...may} onClick={() => given.ask({ does: 'name', alias: 'shadow', version: null })}>
              Take away
            </button>
          </div>
        </>
      )}
    </section>
  );
}

/** Which model judges, and which is tried beside it. */
export function Judging(given: JudgingGiven): ReactNode {
  return (
    <div className="model-pair">
      <Champion given={given} />
      <Shadow given={given} />
    </div>
  );
}
