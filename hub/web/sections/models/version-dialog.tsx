import type { ReactNode } from 'react';
import { Dialog } from '../../shell/dialog.tsx';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { sayFault } from '../../shell/toasts.tsx';
import { digits, quantity } from '../../units/quantity.ts';
import { useMay } from '../alerts/use-may.ts';
import { When } from '../settings/when.tsx';
import { GateChecks, GateMark } from './gate.tsx';
import { kindOf, Learnt } from './lineage.tsx';
import { saveDocument, useModel, type Model, type Step } from './queries.ts';
import { metricName } from './words.ts';

function factsOf(model: Model): readonly (readonly [name: string, value: ReactNode])[] {
  const { createdMs, madeBy, metrics, bytes, seed, digest } = model;
  return [
    ['Trained', <><When ms={createdMs} />, by {madeBy.name}</>],
    ['Learnt from', <Learnt model={model} />],
    ['Kind', kindOf(model)],
    ['Gate', <><GateMark gate={model.gate} /><GateChecks gate={model.gate} /></>],
    ...Object.entries(metrics).map(([name, value]) => [metricName(name), digits(value)] as const),
    ['Document', `${quantity(bytes, 'By')}, made by ${madeBy.program}`],
    ['Seed', seed],
    ['SHA-256', <span className="mono">{digest}</span>],
  ]; // prettier-ignore
}

function Actions({ model, ask }: { model: Model; ask(step: Step): void }): ReactNode {
  const may = useMay('editor');
  const { version, aliases } = model;
  const named = aliases.length > 0;
  const kept = may.title ?? (named ? `It is the ${aliases.join(' and the ')}: take it away there first` : undefined);
  return (
    <footer className="model-actions">
      <button type="button" onClick={() => void saveDocument(version).catch(sayFault)}>
        Download
      </button>
      <button
        type="button"
        className="danger"
        disabled={may.disabled || named}
        title={kept}
        onClick={() => ask({ does: 'remove', version })}
      >
        Remove
      </button>
      {!aliases.includes('shadow') && !aliases.includes('champion') && (
        <button type="button" {...may} onClick={() => ask({ does: 'name', alias: 'shadow', version })}>
          Put beside as shadow
        </button>
      )}
      {!aliases.includes('champion') && (
        <button
          type="button"
          className="primary"
          {...may}
          onClick={() => ask({ does: 'name', alias: 'champion', version })}
        >
          Promote to champion
        </button>
      )}
    </footer>
  );
}

/** One version: what it was made from, what its gate found, and what can be done with it. */
export function VersionDialog({
  resource,
  version,
  ask,
  close,
}: {
  resource: string;
  version: string;
  ask(step: Step): void;
  close(): void;
}): ReactNode {
  const { data: model, error, refetch } = useModel(resource, version);
  return (
    <Dialog title={version} close={close}>
      {model === undefined ? (
        error === null ? (
          <Skeleton height={280} />
        ) : (
          <Fault error={error} what="this version" again={() => void refetch()} />
        )
      ) : model.resource !== resource ? (
        <p>It is a model of another host.</p>
      ) : (
        <>
          {model.aliases.length > 0 && <p>It is the {model.aliases.join(' and the ')}.</p>}
          <dl className="model-facts">
            {factsOf(model).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <Actions model={model} ask={ask} />
        </>
      )}
    </Dialog>
  );
}
