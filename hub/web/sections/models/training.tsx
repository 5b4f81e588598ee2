import { useId, useState, type FormEvent, type ReactNode } from 'react';
import { Dialog, Field } from '../../shell/dialog.tsx';
import { useMay } from '../alerts/use-may.ts';
import { When } from '../settings/when.tsx';
import { outcomeOf, progressWords } from './job-words.ts';
import { goesOn, useCancel, useTrain, type Job } from './queries.ts';

/** Days to learn from: what the hub takes, and what suits most hosts. */
const DAYS = { least: 0.25, most: 14, usual: 7 } as const;

/** Asks how much of the past a model is to learn from. */
export function TrainDialog({ resource, close }: { resource: string; close(): void }): ReactNode {
  const [days, setDays] = useState(String(DAYS.usual));
  const train = useTrain(resource, close);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    train.mutate(Number(days));
  };
  return (
    <Dialog title="Train a model" close={close}>
      <form className="stack" onSubmit={submit}>
        <p>
          The hub learns how the host’s metrics usually go together, and tries the model on hours that it has not seen.
          The first one that passes judges at once; a later one stands beside the champion first. It takes a core of the
          hub for some minutes.
        </p>
        <Field
          label="Days to learn from"
          hint="Up to now. What is unusual in them is learnt as usual."
          fault={train.error?.message}
        >
          <input
            type="number"
            required
            min={DAYS.least}
            max={DAYS.most}
            step="any"
            value={days}
            onChange={(event) => setDays(event.target.value)}
          />
        </Field>
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={train.isPending}>
            Train
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Going({ job, resource }: { job: Job; resource: string }): ReactNode {
  const may = useMay('editor');
  const cancel = useCancel(resource);
  const words = useId();
  return (
    <div className="model-job">
      <div className="row">
        <strong>{job.state === 'queued' ? 'A model is waited for' : 'A model is being trained'}</strong>
        <span className="quiet small">
          asked for by {job.by} <When ms={job.createdMs} />
        </span>
        <button
          type="button"
          className="end"
          disabled={may.disabled || cancel.isPending}
          title={may.title}
          onClick={() => cancel.mutate(job.id)}
        >
          Cancel
        </button>
      </div>
      <progress max={1} value={job.state === 'queued' ? 0 : job.progress} aria-labelledby={words} />
      <p className="small" id={words}>
        {progressWords(job)}
      </p>
    </div>
  );
}

/** The training that goes on, and else what became of the last one where it made no model. */
export function Training({ jobs, resource }: { jobs: readonly Job[]; resource: string }): ReactNode {
  const going = jobs.filter(goesOn);
  const last = jobs[0];
  return (
    <>
      {going.map((job) => (
        <Going key={job.id} job={job} resource={resource} />
      ))}
      {last?.state === 'failed' && (
        <p>
          <span className="critical">✕ The last training failed</span> <When ms={last.endedMs} />. {outcomeOf(last)}
        </p>
      )}
    </>
  );
}
