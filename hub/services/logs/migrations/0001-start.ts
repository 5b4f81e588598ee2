import type { Migration } from '../../../ports/relational.ts';

/** What agents say of lines that were lost, and what became of the others. Lines themselves are in the logstore. */
export const start: Migration = {
  name: '0001-start',
  sql: `
CREATE TABLE losses (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  -- The batch that told it, and its place in there: a batch that comes again says nothing new.
  agent uuid NOT NULL,
  epoch numeric(20) NOT NULL,
  lane smallint NOT NULL,
  seq numeric(20) NOT NULL,
  place integer NOT NULL,
  source text NOT NULL,
  lines bigint NOT NULL,
  bytes bigint NOT NULL,
  -- By the hub's clock; the agent's own is skew_ms ahead of it.
  from_ms bigint NOT NULL,
  to_ms bigint NOT NULL,
  skew_ms bigint NOT NULL,
  cause text NOT NULL,
  PRIMARY KEY (org_id, agent, epoch, lane, seq, place));
CREATE INDEX losses_resource ON losses (org_id, resource, to_ms);
CREATE INDEX losses_time ON losses (org_id, to_ms);
ALTER TABLE losses ENABLE ROW LEVEL SECURITY;
ALTER TABLE losses FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON losses USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org());

CREATE TABLE ledgers (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  source text NOT NULL,
  since_ms bigint NOT NULL,
  at_ms bigint NOT NULL,
  amounts jsonb NOT NULL,
  PRIMARY KEY (org_id, resource, source));
ALTER TABLE ledgers ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledgers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ledgers USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org());
`,
};
