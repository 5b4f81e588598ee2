import type { Migration } from '../../../ports/relational.ts';

/** Signing keys are reached by the look-up functions alone, and invitations are listed by org. */
export const closer: Migration = {
  name: '0002-closer',
  sql: `
REVOKE ALL ON signing_keys FROM outrider_users;
CREATE INDEX invitations_org ON invitations (org_id, created_at);
`,
};
