import { useState, type ReactNode } from 'react';
import { ApiError } from '../api/client.ts';

/** A grey place of the size of what is coming. */
export function Skeleton({ height, width }: { height: number; width?: number | string }): ReactNode {
  return <div className="skeleton" style={{ height, width }} role="status" aria-label="Loading" />;
}

/** Puts a text on the clipboard and says so. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }): ReactNode {
  const [said, say] = useState(label);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => say('Copied'),
      () => say('Select it and press Ctrl+C'),
    );
    setTimeout(() => say(label), 2000);
  };
  return (
    <button type="button" onClick={copy} aria-live="polite">
      {said}
    </button>
  );
}

/** A command line that can be copied. */
export function Command({ line }: { line: string }): ReactNode {
  return (
    <div className="command">
      <code className="grow" tabIndex={0}>
        {line}
      </code>
      <CopyButton text={line} />
    </div>
  );
}

/** Nothing is there yet: what would be here, and what fills it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Something failed: what, what still works, and the number by which the hub's log knows it. */
export function Fault({ error, what, again }: { error: unknown; what: string; again?: () => void }): ReactNode {
  const known = error instanceof ApiError ? error : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  const forbidden = known?.status === 403;
  return (
    <div className="state" role="alert">
      <h2>{forbidden ? `You may not see ${what}` : `${what[0]?.toUpperCase()}${what.slice(1)} could not be loaded`}</h2>
      <p>{reason}</p>
      {known !== undefined && known.requestId !== '' && (
        <p className="quiet small">
          Request <span className="mono">{known.requestId}</span>, as the hub’s log has it
        </p>
      )}
      {again !== undefined && !forbidden && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}
