import type { Migration } from '../../../ports/relational.ts';

/** Channels, and every message that was or is to be sent. */
export const start: Migration = {
  name: '0001-start',
  sql: `
CREATE TABLE channels (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  name text NOT NULL,
  former_names text[] NOT NULL DEFAULT '{}',
  kind text NOT NULL,
  settings jsonb NOT NULL,
  min_severity text NOT NULL CHECK (min_severity IN ('info', 'warning', 'critical')),
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL);
CREATE UNIQUE INDEX channels_name ON channels (org_id, lower(name));

-- One row a piece of news and channel. Rows of one lane go out in their order, one message at a time.
-- news is text, because jsonb refuses what a host may send: zero bytes and half surrogates.
CREATE TABLE deliveries (
  id uuid PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  org_id uuid NOT NULL,
  key text NOT NULL,
  channel_id uuid,
  channel_name text NOT NULL,
  lane text NOT NULL,
  spacing_seconds integer NOT NULL,
  firing text NOT NULL,
  resource_id text NOT NULL,
  resource_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('firing', 'resolved', 'test')),
  severity text NOT NULL,
  title text NOT NULL,
  news text NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'failed', 'skipped')),
  attempts integer NOT NULL DEFAULT 0,
  reason text NOT NULL DEFAULT '',
  message_key text,
  created_at timestamptz NOT NULL,
  next_at timestamptz NOT NULL,
  give_up_at timestamptz NOT NULL,
  lease_until timestamptz,
  finished_at timestamptz);
CREATE UNIQUE INDEX deliveries_key ON deliveries (org_id, key);
CREATE INDEX deliveries_open ON deliveries (org_id, channel_id, lane, seq) WHERE status IN ('queued', 'sending');
CREATE INDEX deliveries_sent ON deliveries (org_id, channel_id, lane, finished_at) WHERE status = 'sent';
CREATE INDEX deliveries_firing ON deliveries (org_id, firing);
CREATE INDEX deliveries_newest ON deliveries (org_id, seq DESC);
CREATE INDEX deliveries_age ON deliveries (created_at);

-- Hosts that were removed: what was told of them is forgotten as soon as all of it is sent.
CREATE TABLE removed_resources (
  org_id uuid NOT NULL,
  resource_id text NOT NULL,
  removed_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, resource_id));

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['channels', 'deliveries', 'removed_resources'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I TO outrider_lookup USING (true)', t);
  END LOOP;
END $$;
GRANT SELECT (org_id, id, name) ON channels TO outrider_lookup;
GRANT SELECT, DELETE ON deliveries, removed_resources TO outrider_lookup;

-- Every org that has something to send by then. A moment that is too far away was written by a clock that has jumped back since.
CREATE FUNCTION orgs_due(moment timestamptz, longest interval) RETURNS TABLE (org uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = notifications AS $$
  SELECT DISTINCT d.org_id FROM deliveries d
  WHERE d.status IN ('queued', 'sending') AND (d.next_at <= moment OR d.next_at > moment + longest) $$;

-- For the hub's own command, which knows a channel by its name only.
CREATE FUNCTION known_channels() RETURNS TABLE (org uuid, id uuid, name text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = notifications AS $$
  SELECT c.org_id, c.id, c.name FROM channels c ORDER BY lower(c.name) LIMIT 1000 $$;

-- What was sent of an alert that is not over is kept for a year: who was told of it must be told of its end.
CREATE FUNCTION forget_before(moment timestamptz, removed timestamptz) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = notifications AS $$
  DELETE FROM deliveries d WHERE d.created_at < moment AND d.status NOT IN ('queued', 'sending')
    AND (d.state <> 'firing' OR d.status <> 'sent' OR d.created_at < moment - interval '365 days'
      OR EXISTS (SELECT FROM deliveries r WHERE r.org_id = d.org_id AND r.firing = d.firing AND r.state = 'resolved'));
  DELETE FROM deliveries d USING removed_resources r
    WHERE r.org_id = d.org_id AND r.resource_id = d.resource_id AND r.removed_at < removed AND d.status NOT IN ('queued', 'sending');
  DELETE FROM removed_resources r WHERE r.removed_at < removed
    AND NOT EXISTS (SELECT FROM deliveries d WHERE d.org_id = r.org_id AND d.resource_id = r.resource_id) $$;

ALTER FUNCTION orgs_due OWNER TO outrider_lookup;
ALTER FUNCTION known_channels OWNER TO outrider_lookup;
ALTER FUNCTION forget_before OWNER TO outrider_lookup;
`,
};
