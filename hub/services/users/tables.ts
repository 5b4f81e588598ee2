import type { JWK } from 'jose';
import type { ColumnType, Generated } from 'kysely';
import type { Role } from '../../principal.ts';

/** The tables of the schema `users`, as Kysely sees them. Columns are those of migrations/0001-start. */
export interface UsersTables {
  orgs: { org_id: string; name: string; registration_open: Generated<boolean>; created_at: Generated<Date> };
  users: {
    id: string;
    org_id: string;
    username: string;
    email: string;
    password_hash: string;
    role: Role;
    disabled: Generated<boolean>;
    created_at: Generated<Date>;
    last_login: Date | null;
  };
  api_keys: {
    id: string;
    org_id: string;
    user_id: string;
    key_name: string;
    key_hash: string;
    prefix: string;
    permissions: ColumnType<{ role: Role }, string, string>;
    expires_at: Date | null;
    created_at: Generated<Date>;
    last_used_at: Date | null;
  };
  sessions: {
    id: string;
    org_id: string;
    user_id: string;
    secret: string;
    token_hash: string;
    previous_hash: string | null;
    rotated_at: Date;
    created_at: Date;
    expires_at: Date;
    revoked: Generated<boolean>;
    agent: string;
  };
  invitations: {
    id: string;
    org_id: string;
    token_hash: string;
    role: Role;
    email: string | null;
    created_by: string;
    created_at: Generated<Date>;
    expires_at: Date;
    used_at: Date | null;
  };
}

/** A person, as the sign-in look-up finds one. */
export interface FoundUser {
  id: string;
  org_id: string;
  username: string;
  email: string;
  password_hash: string;
  role: Role;
  disabled: boolean;
}

/** A program's key with its owner. */
export interface FoundKey {
  id: string;
  org_id: string;
  user_id: string;
  username: string;
  role: Role;
  permissions: { role: Role };
  expires_at: Date | null;
  disabled: boolean;
}

/** A signing key's row. */
export interface SigningKeyRow {
  kid: string;
  private_key: JWK;
  created_at: Date;
}
