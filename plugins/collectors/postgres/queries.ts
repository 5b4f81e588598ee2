/** What is asked of PostgreSQL, by name; numbers come as floats, so that JSON holds them. A name ends in the version from which it is so. */
export const QUERIES: Readonly<Record<string, string>> = {
  server: `SELECT current_setting('server_version_num')::int AS version, current_setting('max_connections')::float8 AS max_connections,
    extract(epoch FROM now() - pg_postmaster_start_time())::float8 AS uptime, pg_is_in_recovery() AS is_replica,
    CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 END AS replay_delay`,
  databases: `SELECT datname AS database, xact_commit::float8 AS commits, xact_rollback::float8 AS rollbacks, blks_hit::float8, blks_read::float8,
    tup_returned::float8, tup_fetched::float8, tup_inserted::float8, tup_updated::float8, tup_deleted::float8, conflicts::float8,
    deadlocks::float8, temp_files::float8, temp_bytes::float8 FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY datname LIMIT 200`,
  backends: `SELECT datname AS database, coalesce(state, 'unknown') AS state, count(*)::float8 AS count,
    coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float8 AS oldest
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 2000`,
  locks: `SELECT d.datname AS database, l.mode, l.granted, count(*)::float8 AS count FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.pid <> pg_backend_pid() GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 2000`,
  sizes: `SELECT datname AS database, pg_database_size(oid)::float8 AS bytes FROM pg_database
    WHERE datallowconn AND NOT datistemplate ORDER BY datname LIMIT 200`,
  replicas: `SELECT coalesce(nullif(application_name, ''), client_addr::text, 'unix') AS client,
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, replay_lsn)::float8 AS bytes,
    extract(epoch FROM write_lag)::float8 AS write, extract(epoch FROM flush_lag)::float8 AS flush, extract(epoch FROM replay_lag)::float8 AS replay
    FROM pg_stat_replication ORDER BY 1 LIMIT 100`,
  writer: `SELECT checkpoints_timed::float8 AS scheduled, checkpoints_req::float8 AS requested, checkpoint_write_time::float8 / 1000 AS write,
    checkpoint_sync_time::float8 / 1000 AS sync, buffers_checkpoint::float8 AS checkpoints, buffers_clean::float8 AS bgwriter,
    buffers_backend::float8 AS backend, buffers_alloc::float8 AS allocated, maxwritten_clean::float8 AS maxwritten FROM pg_stat_bgwriter`,
  'writer-17': `SELECT c.num_timed::float8 AS scheduled, c.num_requested::float8 AS requested, c.write_time / 1000 AS write, c.sync_time / 1000 AS sync,
    c.buffers_written::float8 AS checkpoints, b.buffers_clean::float8 AS bgwriter, b.buffers_alloc::float8 AS allocated,
    b.maxwritten_clean::float8 AS maxwritten, (SELECT sum(writes)::float8 FROM pg_stat_io WHERE backend_type = 'client backend' AND object = 'relation') AS backend
    FROM pg_stat_checkpointer c, pg_stat_bgwriter b`,
};

/** The question about the writers of a version: 17 moved checkpoints into a view of their own. */
export const writerQuery = (version: number): string => (version >= 170_000 ? 'writer-17' : 'writer');
