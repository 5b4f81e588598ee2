import type { Migration } from '../../../ports/relational.ts';

/** What hosts' logs were made of, window by window, until it is judged, and what is usual there. */
export const sequences: Migration = {
  name: '0003-sequences',
  sql: `
ALTER TABLE anomalies DROP CONSTRAINT anomalies_kind_check;
ALTER TABLE anomalies ADD CONSTRAINT anomalies_kind_check
  CHECK (kind IN ('host', 'template-new', 'template-rare', 'template-vanished', 'log-sequence'));

-- What one hub saw of a host's window, in parts that add up; gone once the window was looked at.
CREATE TABLE sequence_parts (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  window_ms bigint NOT NULL,
  part uuid NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (org_id, resource, window_ms, part));
CREATE INDEX sequence_parts_time ON sequence_parts (window_ms);

-- What is known of a host's logs, packed.
CREATE TABLE sequence_states (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  looked_ms bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (org_id, resource));

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['sequence_parts', 'sequence_states'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I FOR SELECT TO outrider_lookup USING (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO outrider_lookup', t);
  END LOOP;
END $$;

-- Hosts of which windows can be looked at that began at this moment or before.
CREATE FUNCTION due_sequences(before bigint) RETURNS TABLE (org uuid, resource uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = predictions AS $$
  SELECT p.org_id, p.resource FROM sequence_parts p WHERE p.window_ms <= before
  GROUP BY p.org_id, p.resource ORDER BY min(p.window_ms) LIMIT 20000 $$;

CREATE FUNCTION sequence_orgs() RETURNS TABLE (org uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = predictions AS $$
  SELECT s.org_id FROM sequence_states s UNION SELECT p.org_id FROM sequence_parts p $$;

ALTER FUNCTION due_sequences OWNER TO outrider_lookup;
ALTER FUNCTION sequence_orgs OWNER TO outrider_lookup;
`,
};
