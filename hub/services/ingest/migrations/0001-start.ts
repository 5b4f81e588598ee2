import type { Migration } from '../../../ports/relational.ts';

/** The certificate authority, join tokens and agents. */
export const start: Migration = {
  name: '0001-start',
  sql: `
-- One authority for the installation: no org reads it, only the functions below.
CREATE TABLE authority (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  org_id uuid,
  certificate text NOT NULL,
  private_key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE join_tokens (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  secret_hash text NOT NULL,
  uses_left integer NOT NULL CHECK (uses_left >= 0),
  uses integer NOT NULL,
  labels jsonb NOT NULL,
  ephemeral boolean NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL);
CREATE INDEX join_tokens_org ON join_tokens (org_id, created_at);

CREATE TABLE agents (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  hostname text NOT NULL,
  labels jsonb NOT NULL,
  ephemeral boolean NOT NULL,
  version text NOT NULL DEFAULT '',
  certificate_serial text NOT NULL,
  certificate_ends timestamptz NOT NULL,
  enrolled_at timestamptz NOT NULL,
  last_seen timestamptz,
  skew_ms double precision NOT NULL DEFAULT 0,
  revoked_at timestamptz);
CREATE INDEX agents_org ON agents (org_id, enrolled_at);

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['authority', 'join_tokens', 'agents'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I TO outrider_lookup USING (true) WITH CHECK (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO outrider_lookup', t);
  END LOOP;
END $$;
GRANT INSERT ON authority TO outrider_lookup;

CREATE FUNCTION read_authority() RETURNS TABLE (certificate text, private_key text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingest AS $$
  SELECT certificate, private_key FROM authority $$;

-- Hubs that start together all bring one; the first stays.
CREATE FUNCTION keep_authority(certificate text, private_key text) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = ingest AS $$
  INSERT INTO authority (certificate, private_key) VALUES (certificate, private_key) ON CONFLICT DO NOTHING $$;

CREATE FUNCTION org_of_token(token uuid) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingest AS $$
  SELECT org_id FROM join_tokens WHERE id = token $$;

CREATE FUNCTION revoked_agents() RETURNS TABLE (id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingest AS $$
  SELECT a.id FROM agents a WHERE a.revoked_at IS NOT NULL $$;

ALTER FUNCTION read_authority OWNER TO outrider_lookup;
ALTER FUNCTION keep_authority OWNER TO outrider_lookup;
ALTER FUNCTION org_of_token OWNER TO outrider_lookup;
ALTER FUNCTION revoked_agents OWNER TO outrider_lookup;
`,
};
