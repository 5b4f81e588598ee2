import type { ReactNode } from 'react';

/** The labels that make a group; none stand for all agents. */
export function LabelsOf({ labels }: { labels: Readonly<Record<string, string>> }): ReactNode {
  const pairs = Object.entries(labels);
  if (pairs.length === 0) return <span className="quiet">all agents</span>;
  return (
    <span className="mono">
      {pairs.map(([key, value]) => (
        <span key={key} className="group-label">
          {key}={value}
        </span>
      ))}
    </span>
  );
}
