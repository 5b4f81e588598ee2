import { useSyncExternalStore, type ReactNode } from 'react';

/** A short word about what just happened. */
interface Toast {
  id: number;
  text: string;
  failed: boolean;
  undo: (() => void) | undefined;
}

const SHOWN_MS = 6000;
const LONGER_MS = 10_000;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

const drop = (id: number): void => set(toasts.filter((toast) => toast.id !== id));

function show(text: string, failed: boolean, undo?: () => void): void {
  const id = ++last;
  set([...toasts.slice(-3), { id, text, failed, undo }]);
  setTimeout(() => drop(id), failed || undo !== undefined ? LONGER_MS : SHOWN_MS);
}

/** Says that something was done; with `undo` it can be taken back for ten seconds. */
export const say = (text: string, undo?: () => void): void => show(text, false, undo);

/** Says that something was not done, and why. */
export const sayFault = (error: unknown): void => show(error instanceof Error ? error.message : String(error), true);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Where words about what happened appear. */
export function Toasts(): ReactNode {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, failed, undo }) => (
        <div key={id} className={failed ? 'toast failed' : 'toast'}>
          <span className="grow">{text}</span>
          {undo !== undefined && (
            <button
              type="button"
              className="link"
              onClick={() => {
                undo();
                drop(id);
              }}
            >
              Undo
            </button>
          )}
          <button type="button" className="bare" aria-label="Dismiss" onClick={() => drop(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
