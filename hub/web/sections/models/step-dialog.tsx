import type { ReactNode } from 'react';
import { ApiError } from '../../api/client.ts';
import { Dialog } from '../../shell/dialog.tsx';
import { useStep, type Aliases, type Step } from './queries.ts';
import { questionOf } from './words.ts';

/** Says what a step will do and does it. Only once the hub has said why a gate is closed can it be passed over. */
export function StepDialog({
  resource,
  step,
  now,
  close,
}: {
  resource: string;
  step: Step;
  now: Aliases;
  close(): void;
}): ReactNode {
  const { title, text, verb, said } = questionOf(step, now);
  const { mutate, error, isPending } = useStep(resource);
  const isClosed = error instanceof ApiError && error.code === 'predictions.gate-closed';
  const act = (force: boolean): void => mutate({ step, force, said, before: now }, { onSuccess: close });
  return (
    <Dialog title={title} close={close}>
      <div className="stack">
        <p>{text}</p>
        {error !== null && (
          <div className="model-refusal" role="alert">
            <p>
              <strong>{isClosed ? 'Its gate is closed.' : 'It was not done.'}</strong> {error.message}
            </p>
            {isClosed && <p>It can be done all the same; the history will say so.</p>}
          </div>
        )}
      </div>
      <footer>
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button
          type="button"
          className={step.does === 'remove' || isClosed ? 'danger' : 'primary'}
          disabled={isPending}
          onClick={() => act(isClosed)}
        >
          {isClosed ? `${verb} all the same` : verb}
        </button>
      </footer>
    </Dialog>
  );
}
