import { Type, type Static } from 'typebox';

/** Names of syslog's severities, worst first: their places are their numbers. */
export const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

/** Settings of reading systemd's journal. */
export const JournalSettings = Type.Object(
  {
    read: Type.Enum(['auto', 'on', 'off'], {
      description:
        'Whether the journal is read, through journalctl. auto: where there is one, and neither /var/log/syslog nor /var/log/messages, which hold the same lines.',
      default: 'auto',
    }),
    units: Type.Array(
      Type.String({
        pattern: '^[^-\\s][^\\s]{0,255}$',
        form: 'the name of a unit, without blanks, such as nginx.service',
      }),
      {
        description: 'Units that are read, such as nginx.service or docker-*; all unless given.',
        default: [],
        maxItems: 100,
      },
    ),
    exclude: Type.Array(Type.String({ minLength: 1 }), {
      description: 'Units that are left out, as globs.',
      default: [],
      maxItems: 100,
    }),
    priority: Type.Enum([...PRIORITIES], {
      description: 'The least severe priority that is read.',
      default: 'debug',
    }),
    start: Type.Enum(['saved', 'end', 'beginning'], {
      description:
        'Where reading begins when the agent starts. saved: after the entry that was read last, at first from the end. beginning: the same, at first from the oldest entry. end: always from the end.',
      default: 'saved',
    }),
    directory: Type.Optional(
      Type.String({
        description: 'Folder of the journal’s files; the machine’s own unless given.',
        pattern: '^/',
        form: 'a whole path, which begins with /',
      }),
    ),
  },
  { additionalProperties: false, default: {} },
);
/** How the journal is read. */
export type JournalSettings = Static<typeof JournalSettings>;
