import { Type, type Static } from 'typebox';

/** A document is no longer than this, in characters. */
export const DOCUMENT_LIMIT = 32_768;

/** Collectors of which the hub may say nothing at all: they run programs. */
export const LOCAL_COLLECTORS: readonly string[] = ['exec'];

const Pattern = Type.String({ minLength: 1, maxLength: 500, description: 'A regular expression.' });
const nameFor = (description: string) => Type.String({ pattern: '^[\\w.-]{1,40}$', description });

const Interval = Type.Object(
  { interval: Type.Number({ minimum: 1, maximum: 3600, description: 'Seconds between two runs.' }) },
  { additionalProperties: false },
);

const DropRule = Type.Object(
  {
    rule: nameFor('Name that the dropped lines are counted under.'),
    pattern: Type.Optional(Pattern),
    below: Type.Optional(
      Type.Enum(['debug', 'info', 'warn', 'error', 'fatal'], { description: 'Drops events of a lower level.' }),
    ),
  },
  { additionalProperties: false },
);

const RedactPattern = Type.Object(
  {
    name: nameFor('What finds are counted under.'),
    pattern: Pattern,
    ignoreCase: Type.Optional(Type.Boolean({ description: 'Capitals or not are the same.' })),
  },
  { additionalProperties: false },
);

/**
 * Everything that a hub may push to an agent: levels, intervals and rules. This list is closed: no program to run, no path, no output and
 * no privilege is in it. Rules are added to those of the agent's own file, so that nothing that a host hides can be made to leave it.
 */
export const PushedDocument = Type.Object(
  {
    log: Type.Optional(
      Type.Object(
        {
          level: Type.Enum(['debug', 'info', 'warn', 'error'], {
            description: 'The least level of the agent’s own log.',
          }),
        },
        { additionalProperties: false },
      ),
    ),
    collectors: Type.Optional(
      Type.Unsafe<Record<string, Static<typeof Interval>>>({
        ...Type.Record(
          Type.String({ pattern: `^(?!(${LOCAL_COLLECTORS.join('|')})$)[a-z][a-z0-9-]{0,39}$` }),
          Interval,
        ),
        additionalProperties: false,
        maxProperties: 50,
        description: 'How often collectors run, by their names.',
      }),
    ),
    drop: Type.Optional(
      Type.Array(DropRule, { maxItems: 20, description: 'Rules for lines that are left out, of every file.' }),
    ),
    redact: Type.Optional(
      Type.Object(
        {
          email: Type.Optional(Type.Literal(true, { description: 'Replace e-mail addresses.' })),
          ip: Type.Optional(Type.Literal(true, { description: 'Replace IP addresses.' })),
          patterns: Type.Optional(
            Type.Array(RedactPattern, { maxItems: 20, description: 'More patterns that are replaced.' }),
          ),
        },
        { additionalProperties: false, description: 'What is replaced in lines besides; nothing can be shown again.' },
      ),
    ),
  },
  { additionalProperties: false },
);
export type PushedDocument = Static<typeof PushedDocument>;
