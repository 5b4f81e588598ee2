import type { ReactNode } from 'react';
import type { Severity } from './search.ts';

const SIGNS: Readonly<Record<Severity, string>> = {
  critical: 'M8 1 15 8 8 15 1 8zM7.2 4.5h1.6v4.6H7.2zm0 5.6h1.6v1.6H7.2z',
  warning: 'M8 1.5 15.2 14H.8zM7.2 6h1.6v4H7.2zm0 5h1.6v1.6H7.2z',
  info: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM7.2 4.2h1.6v1.6H7.2zm0 2.8h1.6v4.8H7.2z',
};

/** How bad it is: a sign, a colour and the word. */
export function SeverityMark({ severity, over = false }: { severity: Severity; over?: boolean }): ReactNode {
  return (
    <span className={`alert-severity ${over ? 'quiet' : severity}`}>
      <svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor" fillRule="evenodd" aria-hidden="true">
        <path d={SIGNS[severity]} />
      </svg>
      <span className="alert-word">{severity}</span>
    </span>
  );
}
