/** Parts of the settings. */
export const SETTINGS_TABS = [
  { tab: 'hosts', name: 'Hosts: add a host, join tokens, agents' },
  { tab: 'groups', name: 'Agent groups: settings that are pushed to agents' },
  { tab: 'people', name: 'People: accounts and invitations' },
  { tab: 'account', name: 'Your account: name, password, sessions, theme' },
  { tab: 'keys', name: 'Keys for programs' },
  { tab: 'storage', name: 'Storage: how long data are kept' },
] as const;

/** What the settings begin with. */
export const DEFAULT_TAB = 'hosts';
