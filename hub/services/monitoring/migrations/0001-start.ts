import type { Migration } from '../../../ports/relational.ts';

/** Resources that are watched, and how long samples are kept. */
export const start: Migration = {
  name: '0001-start',
  sql: `
CREATE TABLE monitored_resources (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  resource_type text NOT NULL,
  resource_name text NOT NULL,
  endpoint text,
  monitoring_config jsonb NOT NULL DEFAULT '{}',
  labels jsonb NOT NULL DEFAULT '{}',
  inventory jsonb NOT NULL DEFAULT '{}',
  version text NOT NULL DEFAULT '',
  ephemeral boolean NOT NULL DEFAULT false,
  connected boolean NOT NULL DEFAULT false,
  last_seen timestamptz,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX monitored_resources_org ON monitored_resources (org_id, resource_name);

CREATE TABLE retention (
  org_id uuid PRIMARY KEY,
  settings jsonb NOT NULL);

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['monitored_resources', 'retention'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I TO outrider_lookup USING (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO outrider_lookup', t);
  END LOOP;
END $$;

-- Every org that has resources, for work that goes through all of them.
CREATE FUNCTION watched_orgs() RETURNS TABLE (org uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = monitoring AS $$
  SELECT DISTINCT org_id FROM monitored_resources $$;

-- Samples of all orgs lie in one store: the longest wish of any counts.
CREATE FUNCTION retention_wishes() RETURNS TABLE (settings jsonb)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = monitoring AS $$
  SELECT r.settings FROM retention r $$;

ALTER FUNCTION watched_orgs OWNER TO outrider_lookup;
ALTER FUNCTION retention_wishes OWNER TO outrider_lookup;
`,
};
