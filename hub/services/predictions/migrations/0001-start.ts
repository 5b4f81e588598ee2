import type { Migration } from '../../../ports/relational.ts';

/** Anomaly events, what people said of them, and what agents detect by because of that. */
export const start: Migration = {
  name: '0001-start',
  sql: `
-- Times are milliseconds by the hub's clock.
CREATE TABLE anomalies (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  resource uuid NOT NULL,
  revision bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('host', 'template-new', 'template-rare', 'template-vanished')),
  start_ms bigint NOT NULL,
  peak_ms bigint NOT NULL,
  end_ms bigint,
  -- Who said that it is over; null while it is open.
  ended_by text CHECK (ended_by IN ('agent', 'superseded', 'lost')),
  score double precision NOT NULL,
  surprise double precision NOT NULL,
  model text NOT NULL,
  causes jsonb NOT NULL,
  contexts jsonb NOT NULL,
  templates jsonb NOT NULL,
  -- When its agent was last known to be there.
  heard_ms bigint NOT NULL,
  PRIMARY KEY (org_id, id));
CREATE INDEX anomalies_time ON anomalies (org_id, start_ms DESC);
CREATE INDEX anomalies_resource ON anomalies (org_id, resource, start_ms DESC);
CREATE INDEX anomalies_open ON anomalies (org_id, resource) WHERE end_ms IS NULL;
CREATE INDEX anomalies_over ON anomalies (org_id, end_ms);

-- Labels outlive their event: they hold what was judged.
CREATE TABLE feedback (
  org_id uuid NOT NULL,
  anomaly uuid NOT NULL,
  person uuid NOT NULL,
  name text NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('useful', 'noise', 'expected')),
  note text NOT NULL,
  resource uuid NOT NULL,
  kind text NOT NULL,
  series jsonb NOT NULL,
  score double precision NOT NULL,
  surprise double precision NOT NULL,
  start_ms bigint NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (org_id, anomaly, person));
CREATE INDEX feedback_resource ON feedback (org_id, resource, at_ms DESC);

-- Nats that thresholds were moved by. An empty key: the host as a whole.
CREATE TABLE sensitivities (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  series_key text NOT NULL,
  metric text NOT NULL,
  attributes jsonb NOT NULL,
  moved double precision NOT NULL,
  PRIMARY KEY (org_id, resource, series_key));

-- What each agent is to detect by, and what it said that it has; null: it never said.
CREATE TABLE detections (
  org_id uuid NOT NULL,
  agent uuid NOT NULL,
  revision bigint NOT NULL,
  document text NOT NULL,
  reported bigint,
  models jsonb NOT NULL,
  sent_ms bigint,
  PRIMARY KEY (org_id, agent));
CREATE INDEX detections_due ON detections (agent) WHERE reported <> revision;

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['anomalies', 'feedback', 'sensitivities', 'detections'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['anomalies', 'detections'] LOOP
    EXECUTE format('CREATE POLICY lookup ON %I FOR SELECT TO outrider_lookup USING (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO outrider_lookup', t);
  END LOOP;
END $$;

CREATE FUNCTION anomaly_orgs() RETURNS TABLE (org uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = predictions AS $$
  SELECT DISTINCT a.org_id FROM anomalies a $$;

-- Of these agents, those that have something else than they are to have and were sent nothing since a moment.
CREATE FUNCTION due_detections(connected uuid[], since bigint) RETURNS TABLE (org uuid, agent uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = predictions AS $$
  SELECT d.org_id, d.agent FROM detections d
  WHERE d.reported <> d.revision AND d.agent = ANY (connected) AND (d.sent_ms IS NULL OR d.sent_ms < since) LIMIT 500 $$;

ALTER FUNCTION anomaly_orgs OWNER TO outrider_lookup;
ALTER FUNCTION due_detections OWNER TO outrider_lookup;
`,
};
