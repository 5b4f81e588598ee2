import type { Migration } from '../../../ports/relational.ts';

/** What of pushed settings each agent falls back on. */
export const proven: Migration = {
  name: '0004-proven',
  sql: `
-- The revision that the agent kept last, after it was well with it; null for none. In force whenever it is not trying another. Agents say so anew whenever they come.
ALTER TABLE agent_settings ADD COLUMN proven bigint;
`,
};
