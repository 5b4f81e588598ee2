import type { ReactNode } from 'react';
import { onlyOnPage, someOf } from './fitting.ts';
import { useAllAgents, useHostLabels } from './queries.ts';

const NAMED = 5;

/** Says which hosts have labels on their page only, where they do not count for groups; nothing when there are none. */
export function OnlyOnPage({ labels }: { labels: Readonly<Record<string, string>> }): ReactNode {
  const { data: agents } = useAllAgents();
  const { data: hosts } = useHostLabels();
  if (agents === undefined || hosts === undefined) return null;
  const names = onlyOnPage(
    agents.items.filter(({ revoked }) => !revoked),
    labels,
    hosts,
  );
  if (names.length === 0) return null;
  return (
    <p className="warning small" role="status">
      {names.length === 1 ? 'One host has' : `${names.length} hosts have`} such labels on the page only (
      {someOf(names, NAMED)}): labels that are set there do not count here, because an editor may set them and only an
      admin may push. Name the host instead (hostname={names[0]}), or let the agent enrol again with a join token that
      has the label.
    </p>
  );
}
