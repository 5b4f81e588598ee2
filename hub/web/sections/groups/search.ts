import { oneOf, text } from '../../shell/search.ts';

/** What the address of the groups of agents says. */
export interface GroupsSearch {
  /** The group that is open. */
  group?: string | undefined;
  /** `push`: settings for it are being written. */
  part?: 'push' | undefined;
  /** The revision that they begin with; the newest one if it is not given. */
  draft?: string | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readGroupsSearch = (search: Record<string, unknown>): GroupsSearch => ({
  group: text(search['group'], 36),
  part: oneOf(search['part'], ['push']),
  draft: text(search['draft'], 20),
});
