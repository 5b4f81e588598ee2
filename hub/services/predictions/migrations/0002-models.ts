import type { Migration } from '../../../ports/relational.ts';

/** Models of hosts with what they were made from, which of them is in use, and the work that makes them. */
export const models: Migration = {
  name: '0002-models',
  sql: `
-- Immutable. The document itself lies among the blobs.
CREATE TABLE models (
  org_id uuid NOT NULL,
  version text NOT NULL,
  resource uuid NOT NULL,
  architecture text NOT NULL CHECK (architecture IN ('autoencoder', 'linear')),
  created_ms bigint NOT NULL,
  from_ms bigint NOT NULL,
  to_ms bigint NOT NULL,
  rows integer NOT NULL,
  features integer NOT NULL,
  seed bigint NOT NULL,
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  bytes integer NOT NULL,
  metrics jsonb NOT NULL,
  gate jsonb NOT NULL,
  job uuid,
  made_by text NOT NULL,
  program text NOT NULL,
  PRIMARY KEY (org_id, version));
CREATE INDEX models_resource ON models (org_id, resource, created_ms DESC);

CREATE TABLE aliases (
  org_id uuid NOT NULL,
  resource uuid NOT NULL,
  alias text NOT NULL CHECK (alias IN ('champion', 'shadow')),
  version text NOT NULL,
  since_ms bigint NOT NULL,
  made_by text NOT NULL,
  PRIMARY KEY (org_id, resource, alias),
  -- A model that is in use cannot be removed.
  FOREIGN KEY (org_id, version) REFERENCES models (org_id, version));

-- What an alias named before and after; null: nothing.
CREATE TABLE alias_moves (
  org_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  resource uuid NOT NULL,
  alias text NOT NULL,
  version text,
  before text,
  at_ms bigint NOT NULL,
  made_by text NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (org_id, id));
CREATE INDEX alias_moves_resource ON alias_moves (org_id, resource, id DESC);

CREATE TABLE jobs (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('train-model')),
  resource uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  days double precision NOT NULL,
  progress double precision NOT NULL,
  step text NOT NULL,
  created_ms bigint NOT NULL,
  started_ms bigint,
  ended_ms bigint,
  made_by text NOT NULL,
  -- Who runs it, and when it last said so.
  runner uuid,
  heard_ms bigint,
  attempts integer NOT NULL,
  is_cancelled boolean NOT NULL,
  version text,
  problem jsonb,
  PRIMARY KEY (org_id, id));
CREATE INDEX jobs_time ON jobs (org_id, created_ms DESC);
-- One at a time of each host.
CREATE UNIQUE INDEX jobs_going ON jobs (org_id, resource) WHERE state IN ('queued', 'running');

-- The models that an agent is to have, and when it first said that it detects anything.
ALTER TABLE detections ADD COLUMN wanted jsonb NOT NULL DEFAULT '[]', ADD COLUMN since_ms bigint;

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['models', 'aliases', 'alias_moves', 'jobs'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
  END LOOP;
END $$;
CREATE POLICY lookup ON jobs FOR SELECT TO outrider_lookup USING (true);
GRANT SELECT ON jobs TO outrider_lookup;

-- Work that nobody does: it waits, or whoever began it was last heard of before a moment. The oldest first.
CREATE FUNCTION waiting_jobs(since bigint) RETURNS TABLE (org uuid, id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = predictions AS $$
  SELECT j.org_id, j.id FROM jobs j
  WHERE j.state = 'queued' OR (j.state = 'running' AND j.heard_ms < since)
  ORDER BY j.created_ms LIMIT 20 $$;

-- Orgs whose agents detect anything.
CREATE FUNCTION detecting_orgs() RETURNS TABLE (org uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = predictions AS $$
  SELECT DISTINCT d.org_id FROM detections d $$;

ALTER FUNCTION waiting_jobs OWNER TO outrider_lookup;
ALTER FUNCTION detecting_orgs OWNER TO outrider_lookup;
`,
};
