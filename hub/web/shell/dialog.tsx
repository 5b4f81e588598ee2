import { useEffect, useId, useRef, type ReactNode } from 'react';

/** A dialog over the page. It closes with Escape, and gives the focus back to where it was. */
export function Dialog({ title, close, children }: { title: string; close(): void; children: ReactNode }): ReactNode {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    // A browser would begin with the button that closes it.
    box.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => (before instanceof HTMLElement ? before.focus() : undefined);
  }, []);
  return (
    <dialog ref={box} aria-labelledby={heading} onClose={close}>
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" className="bare" aria-label="Close" onClick={close}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({
  title,
  verb,
  children,
  act,
  close,
}: {
  title: string;
  verb: string;
  children: ReactNode;
  act(): void;
  close(): void;
}): ReactNode {
  return (
    <Dialog title={title} close={close}>
      {children}
      <footer>
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            act();
            close();
          }}
        >
          {verb}
        </button>
      </footer>
    </Dialog>
  );
}

/** A label, what is typed, a hint and what is wrong with it. */
export function Field({
  label,
  hint,
  fault,
  children,
}: {
  label: string;
  hint?: ReactNode;
  fault?: string | undefined;
  children: ReactNode;
}): ReactNode {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
      {hint !== undefined && <span className="hint">{hint}</span>}
      {fault !== undefined && (
        <span className="fault" role="alert">
          {fault}
        </span>
      )}
    </label>
  );
}
