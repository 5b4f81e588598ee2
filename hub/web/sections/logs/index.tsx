import type { ReactNode } from 'react';
import { count } from '../../units/quantity.ts';
import { countsByLevel, type Histogram } from './bars.ts';
import { LogView } from './log-view.tsx';

function Verdict({ histogram }: { histogram: Histogram | undefined }): ReactNode {
  if (histogram === undefined) return <p className="verdict">&nbsp;</p>;
  const counts = countsByLevel(histogram);
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const bad = counts.error + counts.fatal;
  const parts = [
    `${count(total)} ${total === 1 ? 'line' : 'lines'}`,
    bad === 0 ? 'no errors' : `${count(bad)} ${bad === 1 ? 'error' : 'errors'}`,
    ...(counts.warn === 0 ? [] : [`${count(counts.warn)} ${counts.warn === 1 ? 'warning' : 'warnings'}`]),
  ];
  return <p className={bad === 0 ? 'verdict quiet' : 'verdict'}>{parts.join(', ')}</p>;
}

/** What was written? */
export function Logs(): ReactNode {
  return (
    <LogView
      heading={(histogram) => (
        <header className="heading">
          <h1>What was written?</h1>
          <Verdict histogram={histogram} />
        </header>
      )}
    />
  );
}
