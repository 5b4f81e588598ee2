import type { ReactNode } from 'react';

/** The labels that make a group; none stand for all agents, unless `none` says otherwise. */
export function LabelsOf({
  labels,
  none = 'all agents',
}: {
  labels: Readonly<Record<string, string>>;
  none?: string;
}): ReactNode {
  const pairs = Object.entries(labels);
  if (pairs.length === 0) return <span className="quiet">{none}</span>;
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
