import { execFileSync } from 'node:child_process';
import { completionScript } from '#sdk';
import { CommanderError, type Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from './program.ts';

const nothing = (): Promise<void> => Promise.resolve();
const make = (): Command =>
  createProgram({ env: {}, run: nothing, stopSignal: nothing, standardInput: () => Promise.resolve('') });

/** Every command with the words that lead to it. */
function commandsOf(command: Command, path: readonly string[] = []): { command: Command; path: readonly string[] }[] {
  return [{ command, path }, ...command.commands.flatMap((child) => commandsOf(child, [...path, child.name()]))];
}
const all = commandsOf(make());
const leaves = all.filter(({ command }) => command.commands.length === 0);
const flagsOf = (command: Command): string[] => command.options.flatMap(({ long }) => long ?? []);

/** Runs a command line, and says what came where and how it ended. */
async function run(words: readonly string[]): Promise<{ out: string; err: string; code: number }> {
  const said = { out: '', err: '' };
  const program = make();
  for (const { command } of commandsOf(program))
    command.configureOutput({
      writeOut: (text) => void (said.out += text),
      writeErr: (text) => void (said.err += text),
    });
  const error: unknown = await program.parseAsync([...words], { from: 'user' }).catch((thrown: unknown) => thrown);
  return { ...said, code: error instanceof CommanderError ? error.exitCode : -1 };
}

test('there are the commands that this test is about', () => {
  const names = leaves.map(({ path }) => path.join(' '));
  for (const name of ['run', 'status', 'check-config', 'explain', 'test rotation', 'spool show', 'completion'])
    expect(names).toContain(name);
});

describe.each(all.map(({ command, path }) => ({ name: path.join(' '), command, path })))(
  '$name',
  ({ command, path }) => {
    test('its help goes to standard output and is no fault; a flag that there is none of is one', async () => {
      const help = await run([...path, '--help']);
      expect(help).toMatchObject({ err: '', code: 0 });
      expect(help.out).toContain(`Usage: outrider-agent${path.length === 0 ? '' : ` ${path.join(' ')}`}`);
      for (const flag of flagsOf(command)) expect(help.out).toContain(flag);
      const wrong = await run([...path, '--no-such-flag']);
      expect(wrong).toMatchObject({ out: '', code: 1 });
      expect(wrong.err).toMatch(/--no-such-flag[^]*--help/);
    });

    test('bash completes each of its flags, and those of the program', () => {
      const flags = [...flagsOf(command), '--config', '--data', '--log-level', '--help'];
      const words = ['outrider-agent', ...path, '--'];
      const call = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _outrider_agent; echo "\${COMPREPLY[*]}"`;
      const script = `${completionScript(make(), 'bash')}\n${call}`;
      const offered = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split(' ');
      expect(offered).toEqual(expect.arrayContaining(flags));
    });

    test('zsh and fish know each of its flags too', () => {
      expect(completionScript(make(), 'zsh')).toContain(completionScript(make(), 'bash'));
      const when =
        path.length === 0
          ? '__fish_use_subcommand'
          : path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
      const lines = completionScript(make(), 'fish').split('\n');
      for (const flag of [...flagsOf(command), '--data'])
        expect(
          lines.filter((line) => line.startsWith(`complete -c outrider-agent -n '${when}' -l ${flag.slice(2)}`)),
        ).toHaveLength(1);
    });
  },
);

test.runIf(process.platform === 'linux')('help names where rehearsals write, and what status ends with', async () => {
  expect((await run(['test', 'rotation', '--help'])).out).toMatch(/outrider-rehearsal-[^]*is removed/);
  expect((await run(['status', '--help'])).out).toMatch(
    /Ends with 0 [^]* with 1 when no agent runs, and when the file/,
  );
  expect((await run(['test', 'lines', '--help'])).out).toMatch(/plain log/);
});
