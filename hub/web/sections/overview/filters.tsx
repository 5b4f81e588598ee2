import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import { STATES } from './summary.ts';
import { stateName, type HostState } from './state-word.tsx';

/** Typing pauses for this long before the address says it, milliseconds. */
const PAUSE_MS = 200;

/** What the address says of the filters, and how it is changed. */
export function useFilters() {
  const { q = '', state } = useSearch({ from: '/' });
  const navigate = useNavigate();
  const change = (next: { q?: string | undefined; state?: HostState | undefined }): void => {
    const search = (old: Record<string, unknown>) => ({ ...old, ...next });
    void navigate({ to: '.', search: search as never, replace: true });
  };
  return { q, state, change };
}

/** Which hosts to list: by words of their names and labels, and by state. */
export function Filters({ counts, left }: { counts: Readonly<Record<HostState, number>>; left: string }): ReactNode {
  const { q, state, change } = useFilters();
  const [text, setText] = useState(q);
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => change({ q: text === '' ? undefined : text }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="row overview-filters">
      <input
        type="search"
        aria-label="Part of a host’s name or labels"
        placeholder="Filter by name or label"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row overview-states" role="group" aria-label="State">
        {STATES.filter((one) => counts[one] > 0 || one === state).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === state}
            onClick={() => change({ state: one === state ? undefined : one })}
          >
            {stateName(one)} <span className="quiet">{counts[one]}</span>
          </button>
        ))}
      </div>
      <span className="small quiet end" role="status">
        {left}
      </span>
    </div>
  );
}
