import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { Type, type Static } from 'typebox';
import { defineCollector, reasonOf, type CollectorContext, type Emit } from '#sdk';
import { runProgram } from '../programs/index.ts';
import { findAccount, type Account } from './account.ts';
import { parseReadings } from './readings.ts';

const Program = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 60, description: 'What faults call it.' }),
    command: Type.Array(Type.String({ maxLength: 4096 }), {
      minItems: 1,
      maxItems: 100,
      description: 'The absolute path of the program, and its arguments. No shell reads them.',
    }),
    format: Type.Enum(['influx', 'json'], { default: 'influx', description: 'The form of what it prints.' }),
    interval: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 86_400,
      description:
        'The least number of seconds between two runs of it, where it is to run less often than the collector.',
    }),
    timeout: Type.Number({ default: 5, minimum: 0.1, maximum: 600, description: 'Seconds that it may take.' }),
    maxBytes: Type.Integer({
      default: 1_048_576,
      minimum: 1,
      maximum: 16_777_216,
      description: 'Bytes that it may print.',
    }),
    maxSeries: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 10_000,
      description: 'Values that are taken of a run.',
    }),
    environment: Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(), {
      default: {},
      description: 'Variables that it gets beside PATH and the language; it gets none of the agent’s own.',
    }),
  },
  { additionalProperties: false },
);

type Program = Static<typeof Program>;

const Config = Type.Object(
  {
    programs: Type.Array(Program, {
      default: [],
      maxItems: 100,
      description:
        'Programs to run: `name`, `command`, `format` (`influx` or `json`), `interval`, `timeout`, `maxBytes`, `maxSeries`, `environment`.',
    }),
    user: Type.String({
      default: 'nobody',
      description: 'The user that they run as where the agent runs as root; else they run as the agent does.',
    }),
  },
  { additionalProperties: false },
);

type Context = CollectorContext<Static<typeof Config>>;

/** Programs that run at once. */
const AT_ONCE = 4;

function accountOf({ config, root }: Context): Account | undefined {
  if (getuid?.() !== 0) return undefined;
  const account = findAccount(root, config.user);
  if (account === undefined)
    throw new Error(`there is no user "${config.user}" to run programs as; set collectors.exec.user`);
  return account;
}

/** Runs one program and emits what it told; throws with what went wrong, after what was right. */
async function runOne(context: Context, program: Program, emit: Emit, signal: AbortSignal): Promise<void> {
  const { root, clock, redact } = context;
  const [path = '', ...args] = program.command;
  if (!path.startsWith('/')) throw new Error(`"${path}" is no absolute path`);
  const user = accountOf(context);
  const { output, code, complaint } = await runProgram({
    command: [join(root, path), ...args],
    timeoutMs: program.timeout * 1000,
    mostBytes: program.maxBytes,
    env: program.environment,
    signal,
    clock,
    ...(user === undefined ? {} : { user }),
  });
  const { readings, fault } = parseReadings(output, program.format);
  for (const { name, kind, value, attributes } of readings.slice(0, program.maxSeries))
    emit({ name, kind }, value, attributes);
  if (code !== 0) {
    const words = complaint === '' ? '' : `: ${redact(complaint).slice(0, 300)}`;
    throw new Error(`it ended with ${code ?? 'a signal'}${words}`);
  }
  if (fault !== undefined) throw new Error(`what it printed cannot all be read: ${redact(fault)}`);
  if (readings.length > program.maxSeries)
    throw new Error(`it told ${readings.length} values; those beyond maxSeries (${program.maxSeries}) were left out`);
}

/** Whatever programs of the user's own tell. */
export const exec = defineCollector({
  name: 'exec',
  summary:
    'Runs programs of your own and takes the metrics that they print, as InfluxDB line protocol or JSON. Only the settings file on the machine can name them.',
  platforms: ['linux', 'darwin'],
  intervalSeconds: 60,
  enabled: false,
  config: Config,
  lacks({ programs }, root) {
    if (programs.length === 0) return 'it has no programs; name some below programs';
    const absent = programs.map(({ command }) => command[0] ?? '').filter((path) => !existsSync(join(root, path)));
    return absent.length === 0 ? undefined : `there is no ${absent.join(', ')}`;
  },
  create(context) {
    const { config, clock } = context;
    const begun = new Map<Program, number>();
    const isDue = (program: Program): boolean => {
      const last = begun.get(program);
      // Ticks come a little early at times.
      return last === undefined || clock.monotonic() - last >= program.interval * 1000 - 500;
    };
    return {
      async collect(emit, signal) {
        const due = config.programs.filter(isDue);
        const faults: string[] = [];
        const work = async (): Promise<void> => {
          for (let next = due.shift(); next !== undefined; next = due.shift()) {
            const program = next;
            begun.set(program, clock.monotonic());
            await runOne(context, program, emit, signal).catch((error: unknown) =>
              faults.push(`${program.name}: ${reasonOf(error)}`),
            );
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, work));
        if (faults.length > 0) throw new Error(faults.join('; '));
      },
    };
  },
});
