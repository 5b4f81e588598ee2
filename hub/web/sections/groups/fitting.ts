type Labels = Readonly<Record<string, string>>;

/** An agent, as far as its labels matter. */
export interface LabelledAgent {
  id: string;
  hostname: string;
  labels: Labels;
}

const hasAll = (own: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => own[key] === value);

/** Agents that have all of some labels, as the hub sees it: the host's name is one. */
export const fitting = <A extends LabelledAgent>(agents: readonly A[], labels: Labels): A[] =>
  agents.filter((agent) => hasAll({ ...agent.labels, hostname: agent.hostname }, labels));

/** How many agents some labels fit, in words. */
export function fittingWords(count: number, total: number, labels: Labels): string {
  const wanted = Object.keys(labels).length;
  if (wanted === 0) return total === 1 ? 'The one agent that there is fits' : `All ${total} agents fit`;
  return `${count} of ${total} ${total === 1 ? 'agent' : 'agents'} ${count === 1 ? 'has' : 'have'} ${wanted === 1 ? 'it' : 'them'}`;
}

/** Hosts that would fit by the labels that people gave them on the page, which do not count, and do not by those of their agents. */
export function onlyOnPage(
  agents: readonly LabelledAgent[],
  labels: Labels,
  hosts: readonly { id: string; labels: Labels }[],
): string[] {
  const given = new Map(hosts.map((host) => [host.id, host.labels]));
  const fit = new Set(fitting(agents, labels).map(({ id }) => id));
  return agents
    .filter(({ id, hostname, labels: own }) => !fit.has(id) && hasAll({ ...own, ...given.get(id), hostname }, labels))
    .map(({ hostname }) => hostname);
}

/** Labels of agents, as a person types them, in the order of the alphabet. */
export const labelsInUse = (agents: readonly LabelledAgent[]): string[] =>
  [...new Set(agents.flatMap(({ labels }) => Object.entries(labels).map((pair) => pair.join('='))))].sort();

/** What may stand in a field of labels next: what stands there already, with one more of those that are known. */
export function completions(text: string, known: readonly string[]): string[] {
  const done = text.split(/[\s,]+/).slice(0, -1);
  const before = done.map((label) => `${label} `).join('');
  return known.filter((label) => !done.includes(label)).map((label) => `${before}${label}`);
}

/** The first few names of many. */
export const someOf = (names: readonly string[], most: number, total = names.length): string =>
  `${names.slice(0, most).join(', ')}${total > most ? ` and ${total - Math.min(most, names.length)} more` : ''}`;
