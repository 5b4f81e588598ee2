import type { Migration } from '../../../ports/relational.ts';

/** People, their keys and sessions. */
export const start: Migration = {
  name: '0001-start',
  sql: `
CREATE TABLE orgs (
  org_id uuid PRIMARY KEY,
  name text NOT NULL,
  registration_open boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE users (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL REFERENCES orgs ON DELETE CASCADE,
  username text NOT NULL,
  email text NOT NULL,
  password_hash text NOT NULL,
  role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_login timestamptz);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE UNIQUE INDEX users_username ON users (lower(username));
CREATE INDEX users_org ON users (org_id, created_at);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  key_name text NOT NULL,
  key_hash text NOT NULL UNIQUE,
  prefix text NOT NULL,
  permissions jsonb NOT NULL,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz);
CREATE INDEX api_keys_user ON api_keys (org_id, user_id);

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  secret text NOT NULL,
  token_hash text NOT NULL,
  previous_hash text,
  rotated_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked boolean NOT NULL DEFAULT false,
  agent text NOT NULL DEFAULT '');
CREATE INDEX sessions_user ON sessions (org_id, user_id);

CREATE TABLE invitations (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  token_hash text NOT NULL UNIQUE,
  role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
  email text,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz);

-- Keys of the installation: no org reads them, only the functions below.
CREATE TABLE signing_keys (
  kid text PRIMARY KEY,
  org_id uuid,
  private_key jsonb NOT NULL,
  created_at timestamptz NOT NULL);

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['orgs', 'users', 'api_keys', 'sessions', 'invitations', 'signing_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own ON %I USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org())', t);
    EXECUTE format('CREATE POLICY lookup ON %I TO outrider_lookup USING (true) WITH CHECK (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO outrider_lookup', t);
  END LOOP;
END $$;
GRANT INSERT, DELETE ON signing_keys TO outrider_lookup;
GRANT DELETE ON sessions, invitations TO outrider_lookup;

CREATE FUNCTION find_user(login text)
  RETURNS TABLE (id uuid, org_id uuid, username text, email text, password_hash text, role text, disabled boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users AS $$
  SELECT u.id, u.org_id, u.username, u.email, u.password_hash, u.role, u.disabled FROM users u
  WHERE lower(u.username) = lower(login) OR lower(u.email) = lower(login) LIMIT 1 $$;

CREATE FUNCTION org_of_session(session uuid) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users AS $$
  SELECT s.org_id FROM sessions s WHERE s.id = session $$;

CREATE FUNCTION find_key(hash text)
  RETURNS TABLE (id uuid, org_id uuid, user_id uuid, username text, role text, permissions jsonb, expires_at timestamptz, disabled boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users AS $$
  SELECT k.id, k.org_id, k.user_id, u.username, u.role, k.permissions, k.expires_at, u.disabled
  FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.key_hash = hash $$;

CREATE FUNCTION org_of_invitation(hash text) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users AS $$
  SELECT i.org_id FROM invitations i WHERE i.token_hash = hash $$;

CREATE FUNCTION first_org() RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users AS $$
  SELECT o.org_id FROM orgs o ORDER BY o.created_at, o.org_id LIMIT 1 $$;

CREATE FUNCTION read_signing_keys()
  RETURNS TABLE (kid text, private_key jsonb, created_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users AS $$
  SELECT kid, private_key, created_at FROM signing_keys ORDER BY created_at DESC $$;

CREATE FUNCTION add_signing_key(kid text, private_key jsonb, created_at timestamptz, forget_before timestamptz) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = users AS $$
  DELETE FROM signing_keys k WHERE k.created_at < forget_before;
  INSERT INTO signing_keys (kid, private_key, created_at) VALUES (kid, private_key, created_at) $$;

CREATE FUNCTION forget_expired(moment timestamptz) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = users AS $$
  DELETE FROM sessions WHERE expires_at < moment;
  DELETE FROM invitations WHERE expires_at < moment - interval '30 days' $$;

ALTER FUNCTION find_user OWNER TO outrider_lookup;
ALTER FUNCTION org_of_session OWNER TO outrider_lookup;
ALTER FUNCTION find_key OWNER TO outrider_lookup;
ALTER FUNCTION org_of_invitation OWNER TO outrider_lookup;
ALTER FUNCTION first_org OWNER TO outrider_lookup;
ALTER FUNCTION read_signing_keys OWNER TO outrider_lookup;
ALTER FUNCTION add_signing_key OWNER TO outrider_lookup;
ALTER FUNCTION forget_expired OWNER TO outrider_lookup;
`,
};
