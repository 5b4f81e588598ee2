import type { Migration } from '../../../ports/relational.ts';

/** Which agents are connected to any process. */
export const connected: Migration = {
  name: '0005-connected',
  sql: `
-- Until when an agent counts as connected, and the process that said so: it says so again before that, and takes it back when the agent leaves.
ALTER TABLE agents ADD COLUMN connected_until timestamptz, ADD COLUMN connected_by uuid;
`,
};
