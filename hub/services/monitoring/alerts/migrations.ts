import type { Migration } from '../../../ports/relational.ts';

/** Rules, firings and silences, in the schema of monitoring. */
export const migrations: readonly Migration[] = [
  {
    name: '0101-alerts',
    sql: `
CREATE TABLE alert_rules (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  resource_id uuid,
  metric_name text NOT NULL,
  threshold_value double precision NOT NULL,
  comparison_operator text NOT NULL CHECK (comparison_operator IN ('gt', 'gte', 'lt', 'lte')),
  severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  notification_channels jsonb NOT NULL DEFAULT '[]',
  name text NOT NULL,
  for_seconds integer NOT NULL DEFAULT 0,
  filter jsonb NOT NULL DEFAULT '{}',
  enabled boolean NOT NULL DEFAULT true,
  clear_value double precision,
  keep_firing_seconds integer NOT NULL DEFAULT 0,
  built_in text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX alert_rules_built_in ON alert_rules (org_id, built_in) WHERE built_in IS NOT NULL;
CREATE INDEX alert_rules_org ON alert_rules (org_id, name);

-- Everything that a message needs is copied here: a firing outlives its rule and its host.
CREATE TABLE alert_firings (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  rule_id uuid NOT NULL,
  rule_name text NOT NULL,
  built_in text,
  resource_id uuid NOT NULL,
  resource_name text NOT NULL,
  metric_name text NOT NULL,
  attributes jsonb NOT NULL,
  series_key text NOT NULL,
  severity text NOT NULL,
  comparison_operator text NOT NULL,
  threshold_value double precision NOT NULL,
  unit text NOT NULL,
  channels jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('firing', 'resolved')),
  outcome text,
  fired_value double precision NOT NULL,
  resolved_value double precision,
  peak_value double precision NOT NULL,
  started_at timestamptz NOT NULL,
  fired_at timestamptz NOT NULL,
  resolved_at timestamptz,
  no_data boolean NOT NULL DEFAULT false,
  silenced boolean NOT NULL DEFAULT false,
  told text NOT NULL DEFAULT 'nobody' CHECK (told IN ('nobody', 'firing', 'resolved')),
  acknowledged_at timestamptz,
  acknowledged_by text,
  acknowledged_note text);
CREATE UNIQUE INDEX alert_firings_open ON alert_firings (org_id, rule_id, resource_id, series_key) WHERE state = 'firing';
CREATE INDEX alert_firings_untold ON alert_firings (org_id, fired_at) WHERE told <> 'resolved';
CREATE INDEX alert_firings_time ON alert_firings (org_id, fired_at DESC);
CREATE INDEX alert_firings_resource ON alert_firings (org_id, resource_id);

CREATE TABLE silences (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  rule_id uuid,
  resource_id uuid,
  severity text CHECK (severity IN ('info', 'warning', 'critical')),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  author text NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX silences_org ON silences (org_id, ends_at);

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['alert_rules', 'alert_firings', 'silences'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
  END LOOP;
END $$;
CREATE POLICY lookup ON alert_rules FOR SELECT TO outrider_lookup USING (true);
GRANT SELECT ON alert_rules TO outrider_lookup;

CREATE FUNCTION alert_orgs() RETURNS TABLE (org uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = monitoring AS $$
  SELECT DISTINCT r.org_id FROM alert_rules r $$;
ALTER FUNCTION alert_orgs OWNER TO outrider_lookup;
`,
  },
  {
    name: '0102-shards',
    sql: `
-- The highest fencing token of a shard's owners: who comes with a lower one has been replaced.
CREATE TABLE alert_shards (
  org_id uuid NOT NULL,
  shard smallint NOT NULL,
  fence bigint NOT NULL,
  PRIMARY KEY (org_id, shard));
ALTER TABLE alert_shards ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert_shards FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON alert_shards USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org());
CREATE INDEX alert_firings_resolved ON alert_firings (org_id, resolved_at) WHERE state = 'resolved';

-- Changes with every change of an org's rules.
CREATE FUNCTION alert_rule_versions() RETURNS TABLE (org uuid, version text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = monitoring AS $$
  SELECT r.org_id, md5(string_agg(r.id::text || r.xmin::text, ' ' ORDER BY r.id)) FROM alert_rules r GROUP BY r.org_id $$;
ALTER FUNCTION alert_rule_versions OWNER TO outrider_lookup;
`,
  },
];
