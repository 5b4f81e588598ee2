import type { Migration } from '../../../ports/relational.ts';

/** Tables of series by their id: an agent sends one once a connection, and a hub that was restarted must still know it. */
export const seriesTables: Migration = {
  name: '0003-series-tables',
  sql: `
CREATE TABLE series_tables (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  id text NOT NULL,
  series text NOT NULL, -- JSON; jsonb has no place for every character of a name
  used_on date NOT NULL DEFAULT current_date,
  PRIMARY KEY (org_id, resource, id));
ALTER TABLE series_tables ENABLE ROW LEVEL SECURITY;
ALTER TABLE series_tables FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON series_tables USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org());
`,
};
