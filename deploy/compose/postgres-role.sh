#!/bin/sh
# Run once by the image of PostgreSQL: the hub's role and database. The hub makes a schema and a role for each service by itself.
set -eu
password=$(cat /run/secrets/relational-password)
psql --no-psqlrc --set ON_ERROR_STOP=1 --set password="$password" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE outrider LOGIN CREATEROLE NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE outrider OWNER outrider;
REVOKE CONNECT ON DATABASE outrider FROM PUBLIC;
SQL
