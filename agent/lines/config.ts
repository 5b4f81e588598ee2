import { Type, type Static } from 'typebox';
import { LEVEL_NAMES } from './drop.ts';
import { ENCODINGS } from './encodings.ts';
import { FORMATS } from './facts/index.ts';

/** What names that something is counted under look like. */
const NAME_FORM = 'one to 40 letters, digits, dots, dashes and underscores';

/** How lines that belong together are known. */
export const MULTILINE_MODES = ['auto', 'off', 'indent', 'start'] as const;

/** How lines of containers are unwrapped. */
const CONTAINER_MODES = ['auto', 'docker', 'cri', 'off'] as const;

/** Rules by which events are left out. */
export const dropRules = (description: string) =>
  Type.Array(
    Type.Object(
      {
        rule: Type.String({
          description: 'Name that the dropped lines are counted under.',
          pattern: '^[\\w.-]{1,40}$',
          form: NAME_FORM,
        }),
        pattern: Type.Optional(Type.String({ description: 'Drops events that fit this pattern.', minLength: 1 })),
        below: Type.Optional(Type.Enum([...LEVEL_NAMES], { description: 'Drops events of a lower level than this.' })),
      },
      { additionalProperties: false },
    ),
    { description, default: [] },
  );

/** Settings of an entry of `logs` that say how its lines are read. */
export const lineSettings = {
  multiline: Type.Object(
    {
      mode: Type.Enum([...MULTILINE_MODES], {
        description:
          'Which lines become one event: auto joins stack traces of Java, Python, Go, Node, .NET and Ruby; indent joins lines that begin with a blank to the one before; start joins up to the next line that fits `start`; off joins none.',
        default: 'auto',
      }),
      start: Type.Optional(
        Type.String({ description: 'Pattern of the first line of an event, for the mode start.', minLength: 1 }),
      ),
      flushSeconds: Type.Number({
        description: 'An event that nothing was added to for so long is whole.',
        default: 1,
        minimum: 0.1,
        maximum: 60,
      }),
    },
    { additionalProperties: false, default: {} },
  ),
  container: Type.Enum([...CONTAINER_MODES], {
    description:
      'How a container runtime wraps lines: docker is one JSON a line, cri is time, stream and tag before each. auto unwraps either below /var/log/pods, /var/log/containers and Docker’s containers folder, where the path says whose lines they are; off takes lines as they stand.',
    default: 'auto',
  }),
  format: Type.Enum([...FORMATS], {
    description: 'How a line says its level and time; auto looks at each line.',
    default: 'auto',
  }),
  encoding: Type.Enum([...ENCODINGS], {
    description: 'How bytes become text; auto is UTF-8, or UTF-16 where a byte order mark says so.',
    default: 'auto',
  }),
  timezone: Type.Optional(
    Type.String({ description: 'Zone of times that name none, such as Europe/Berlin; the host’s own unless given.' }),
  ),
  drop: dropRules('Events that are left out, by the first rule that fits; where a rule says both, both must fit.'),
};

/** Settings of what is replaced in lines before they leave the host. */
export const redactSettings = Type.Object(
  {
    secrets: Type.Boolean({
      description: 'Replace keys, tokens, passwords, private keys and card numbers.',
      default: true,
    }),
    email: Type.Boolean({ description: 'Replace e-mail addresses.', default: false }),
    ip: Type.Boolean({ description: 'Replace IP addresses.', default: false }),
    patterns: Type.Array(
      Type.Object(
        {
          name: Type.String({
            description: 'What finds are counted under.',
            pattern: '^[\\w.-]{1,40}$',
            form: NAME_FORM,
          }),
          pattern: Type.String({ description: 'Regular expression of what is replaced.', minLength: 1 }),
          ignoreCase: Type.Boolean({ description: 'Capitals or not are the same.', default: false }),
        },
        { additionalProperties: false },
      ),
      { description: 'Patterns of your own, checked for how long they may take.', default: [] },
    ),
  },
  { additionalProperties: false, default: {} },
);

/** The settings of one source of lines. */
export const LineSettings = Type.Object(lineSettings);
/** How the lines of a source are read. */
export type LineSettings = Static<typeof LineSettings>;

/** What holds for lines of which no setting says anything. */
export const DEFAULT_LINES: LineSettings = {
  multiline: { mode: 'auto', flushSeconds: 1 },
  container: 'auto',
  format: 'auto',
  encoding: 'auto',
  drop: [],
};
