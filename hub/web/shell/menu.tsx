import { useEffect, useRef, useState, type ReactNode } from 'react';

/** A button that opens a small panel. It closes with Escape, a click elsewhere, or a call of `close`. */
export function Menu({
  label,
  name,
  children,
}: {
  /** What the button shows. */
  label: ReactNode;
  /** What the button is called, when its label is no text. */
  name?: string;
  children(close: () => void): ReactNode;
}): ReactNode {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const elsewhere = (event: PointerEvent): void => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      setOpen(false);
      button.current?.focus();
    };
    const node = place.current;
    document.addEventListener('pointerdown', elsewhere);
    node?.addEventListener('keydown', key);
    return () => {
      document.removeEventListener('pointerdown', elsewhere);
      node?.removeEventListener('keydown', key);
    };
  }, [open]);
  return (
    <div className="menu" ref={place}>
      <button ref={button} type="button" aria-label={name} aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open && <div className="panel">{children(() => setOpen(false))}</div>}
    </div>
  );
}
