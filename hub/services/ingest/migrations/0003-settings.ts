import type { Migration } from '../../../ports/relational.ts';

/** Settings that are pushed to groups of agents. */
export const settings: Migration = {
  name: '0003-settings',
  sql: `
-- A group is the agents that have all of its labels. Removed ones stay, so that it can be said who pushed what to whom.
CREATE TABLE settings_groups (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  name text NOT NULL,
  labels jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  removed_by text,
  removed_at timestamptz);
CREATE UNIQUE INDEX settings_groups_name ON settings_groups (org_id, name) WHERE removed_at IS NULL;

CREATE TABLE settings_revisions (
  revision bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid NOT NULL,
  group_id uuid NOT NULL REFERENCES settings_groups,
  document text NOT NULL,
  digest text NOT NULL,
  -- The revision whose document it brings back; null for one of its own, 0 for none.
  restores bigint,
  -- Agents that try it before the others get it.
  canaries integer NOT NULL,
  stage text NOT NULL CHECK (stage IN ('first', 'all', 'halted')),
  halted_because text NOT NULL DEFAULT '',
  pushed_by text NOT NULL,
  pushed_by_id uuid NOT NULL,
  pushed_at timestamptz NOT NULL);
CREATE INDEX settings_revisions_group ON settings_revisions (group_id, revision);
CREATE INDEX settings_revisions_first ON settings_revisions (org_id) WHERE stage = 'first';

-- What each agent is to have, and how far it is with that. No revision: nothing that was pushed.
CREATE TABLE agent_settings (
  agent uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  group_id uuid,
  revision bigint,
  state text NOT NULL CHECK (state IN ('pending', 'trying', 'applied', 'refused', 'rolled-back')),
  code text NOT NULL DEFAULT '',
  problem text NOT NULL DEFAULT '',
  sent_at timestamptz,
  changed_at timestamptz NOT NULL);
CREATE INDEX agent_settings_group ON agent_settings (group_id);
CREATE INDEX agent_settings_pending ON agent_settings (agent) WHERE state = 'pending';

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['settings_groups', 'settings_revisions', 'agent_settings'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I TO outrider_lookup USING (true) WITH CHECK (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO outrider_lookup', t);
  END LOOP;
END $$;

-- Of these agents, those to which something is to be sent that was not sent since a moment.
CREATE FUNCTION due_settings(connected uuid[], since timestamptz) RETURNS TABLE (org_id uuid, agent uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingest AS $$
  SELECT s.org_id, s.agent FROM agent_settings s
  WHERE s.state = 'pending' AND s.agent = ANY (connected) AND (s.sent_at IS NULL OR s.sent_at < since) LIMIT 500 $$;

-- Orgs in which something is being tried by a few first.
CREATE FUNCTION trying_orgs() RETURNS TABLE (org_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingest AS $$
  SELECT DISTINCT r.org_id FROM settings_revisions r WHERE r.stage = 'first' $$;

ALTER FUNCTION due_settings OWNER TO outrider_lookup;
ALTER FUNCTION trying_orgs OWNER TO outrider_lookup;
`,
};
