import type { Migration } from '../../../ports/relational.ts';

/** What is asked about all orgs: who left for good, and whether some org lives by the defaults. */
export const leaving: Migration = {
  name: '0002-leaving',
  sql: `
-- Hosts that come and go, silent since before a moment.
CREATE FUNCTION guests_silent_since(moment timestamptz) RETURNS TABLE (org uuid, id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = monitoring AS $$
  SELECT m.org_id, m.id FROM monitored_resources m
  WHERE m.ephemeral AND coalesce(m.last_seen, m.created_at) < moment ORDER BY m.id LIMIT 1000 $$;

CREATE FUNCTION some_org_has_no_wish() RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = monitoring AS $$
  SELECT EXISTS (SELECT 1 FROM monitored_resources m WHERE NOT EXISTS (SELECT 1 FROM retention r WHERE r.org_id = m.org_id)) $$;

ALTER FUNCTION guests_silent_since OWNER TO outrider_lookup;
ALTER FUNCTION some_org_has_no_wish OWNER TO outrider_lookup;
`,
};
