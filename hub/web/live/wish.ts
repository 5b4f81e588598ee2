/** What a part of the page wants to hear of, besides alerts. */
export interface LiveWish {
  resources?: readonly string[];
  names?: readonly string[];
  hosts?: boolean;
}

const unique = (lists: readonly (readonly string[] | undefined)[]): string[] => [
  ...new Set(lists.flatMap((list) => list ?? [])),
];

/** The address of a stream that brings what all wishes ask for. */
export function pathOf(wishes: readonly LiveWish[]): string {
  const query = new URLSearchParams();
  for (const resource of unique(wishes.map(({ resources }) => resources)).sort()) query.append('resource', resource);
  // One who wants everything of a host gets it, whatever others want.
  const all = wishes.some(({ resources, names }) => (resources?.length ?? 0) > 0 && names === undefined);
  if (!all) for (const name of unique(wishes.map(({ names }) => names)).sort()) query.append('name', name);
  if (wishes.some(({ hosts }) => hosts === true)) query.set('hosts', 'true');
  return `/api/v1/monitoring/stream?${query}`;
}
