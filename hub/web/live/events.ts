/** Names of what the hub's live stream sends. */
export const LIVE_EVENTS = ['series', 'sample', 'hosts', 'alert', 'clock'] as const;
