import type { Migration } from '../../../ports/relational.ts';

/** Keys for agents over NATS, and what agents' clocks were corrected by. */
export const nats: Migration = {
  name: '0002-nats',
  sql: `
-- Seeds by which NATS servers know this installation: no org reads them, only the functions below.
CREATE TABLE nats_seeds (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  org_id uuid,
  issuer text NOT NULL,
  hub text NOT NULL,
  system text NOT NULL);

-- By how much times of an agent were put right, from its first batch that way until the next row: time stored + shift = time on the agent.
CREATE TABLE clock_shifts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid NOT NULL,
  agent uuid NOT NULL,
  since timestamptz NOT NULL,
  shift_ms bigint NOT NULL);
CREATE INDEX clock_shifts_agent ON clock_shifts (agent, since);

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['nats_seeds', 'clock_shifts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I TO outrider_lookup USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON nats_seeds TO outrider_lookup;

CREATE FUNCTION read_nats_seeds() RETURNS TABLE (issuer text, hub text, system text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingest AS $$
  SELECT issuer, hub, system FROM nats_seeds $$;

-- Hubs that start together all bring some; the first stay.
CREATE FUNCTION keep_nats_seeds(issuer text, hub text, system text) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = ingest AS $$
  INSERT INTO nats_seeds (issuer, hub, system) VALUES (issuer, hub, system) ON CONFLICT DO NOTHING $$;

ALTER FUNCTION read_nats_seeds OWNER TO outrider_lookup;
ALTER FUNCTION keep_nats_seeds OWNER TO outrider_lookup;
`,
};
