import { useState, type ReactNode } from 'react';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { useMay } from '../alerts/use-may.ts';
import { Judging } from './judging.tsx';
import { Moves } from './moves.tsx';
import { goesOn, useAliases, useJobs, useModels, type Step } from './queries.ts';
import { StepDialog } from './step-dialog.tsx';
import { TrainDialog, Training } from './training.tsx';
import { useModelsSearch } from './use-models-search.ts';
import { VersionDialog } from './version-dialog.tsx';
import { Versions } from './versions.tsx';
import { ownOf } from './words.ts';
import './models.css';

function TrainButton({ isGoing, ask }: { isGoing: boolean; ask(): void }): ReactNode {
  const may = useMay('editor');
  return (
    <button
      type="button"
      className="primary end"
      disabled={may.disabled || isGoing}
      title={may.title ?? (isGoing ? 'One is being trained; it can be cancelled' : undefined)}
      onClick={ask}
    >
      Train a model
    </button>
  );
}

function NoModel({ own }: { own: string | undefined }): ReactNode {
  return (
    <Empty title="No model of this host yet">
      <p>
        {own === undefined
          ? 'Meanwhile its agent judges each metric by its own past. From a day of them it makes a model itself, and judges by that one as long as the hub gives it none.'
          : `Meanwhile its agent judges each metric by its own past, and all together by ${own}, a model that it made itself.`}
      </p>
      <p>
        The hub trains a first model by itself when it has known the host for a day and a night, and a new one each
        week; its settings can say otherwise. One can be trained now from what there is: some four hours are needed.
      </p>
    </Empty>
  );
}

/** Which model judges a host, which is tried beside it, and how they came to be. `children` stands between them and the versions. */
export function HostModels({
  host: { id, connected },
  children,
}: {
  host: { id: string; connected: boolean };
  children?: ReactNode;
}): ReactNode {
  const { search, change } = useModelsSearch();
  const { page = 1, version } = search;
  const aliases = useAliases(id);
  const models = useModels(id, 1);
  const jobs = useJobs(id);
  const [isTraining, train] = useState(false);
  const [step, ask] = useState<Step>();
  const askOf = (next: Step): void => {
    if (version !== undefined) change({ version: undefined });
    ask(next);
  };
  const failed = aliases.error ?? models.error;
  if (failed !== null && (aliases.data === undefined || models.data === undefined))
    return <Fault error={failed} what="the models" again={() => void Promise.all([aliases.refetch(), models.refetch()])} />; // prettier-ignore
  if (aliases.data === undefined || models.data === undefined) return <Skeleton height={500} />;
  const own = ownOf(aliases.data.told);
  const isNew = models.data.total === 0 && aliases.data.history.length === 0;
  const open = (named: string): void => change({ version: named });
  return (
    <div className="stack models">
      <div className="row">
        <p className="quiet">
          A model knows how the host’s metrics usually go together; the champion judges them on the agent.
        </p>
        <TrainButton isGoing={jobs.data?.items.some(goesOn) === true} ask={() => train(true)} />
      </div>
      {jobs.error !== null && jobs.data === undefined && <Fault error={jobs.error} what="the trainings" again={() => void jobs.refetch()} />}
      <Training jobs={jobs.data?.items ?? []} resource={id} />
      {isNew ? (
        <>
          <NoModel own={own?.version} />
          {own !== undefined && children}
        </>
      ) : (
        <>
          <Judging resource={id} isConnected={connected} aliases={aliases.data} newest={models.data.items[0]} ask={askOf} open={open} />
          {own !== undefined && (
            <p className="quiet">
              The agent {own.inUse ? 'judges by' : 'also has'} <span className="mono">{own.version}</span>, which it made
              itself.
            </p>
          )}
          {children}
          <section>
            <h2>Versions</h2>
            <Versions resource={id} page={page} opened={version} change={change} />
          </section>
          <section>
            <h2>History</h2>
            <Moves moves={aliases.data.history} />
          </section>
        </>
      )}
      {isTraining && <TrainDialog resource={id} close={() => train(false)} />}
      {version !== undefined && <VersionDialog resource={id} version={version} ask={askOf} close={() => change({ version: undefined })} />}
      {step !== undefined && <StepDialog key={JSON.stringify(step)} resource={id} step={step} now={aliases.data} close={() => ask(undefined)} />}
    </div>
  ); // prettier-ignore
}
