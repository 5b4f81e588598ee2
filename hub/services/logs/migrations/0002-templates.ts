import type { Migration } from '../../../ports/relational.ts';

/** Kinds of lines, as agents name them. */
export const templates: Migration = {
  name: '0002-templates',
  sql: `
CREATE TABLE templates (
  org_id uuid NOT NULL,
  -- 16 hex digits; derived from the text, so the same on every host.
  id text NOT NULL,
  -- Empty until an agent has said it.
  text text NOT NULL,
  -- The template that it turned out to be.
  merged_into text,
  -- Times of the first and, to some minutes, the last line, by the hub's clock.
  first_ms bigint NOT NULL,
  last_ms bigint NOT NULL,
  PRIMARY KEY (org_id, id));
CREATE INDEX templates_merged ON templates (org_id, merged_into);
CREATE INDEX templates_last ON templates (org_id, last_ms);
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE templates FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON templates USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org());
`,
};
