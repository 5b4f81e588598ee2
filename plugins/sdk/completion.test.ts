import { execFileSync } from 'node:child_process';
import { Argument, Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { completionScript } from './completion.ts';

const program = new Command('garden').option('--data <folder>');
program.command('water').option('--slowly');
program.addOption(new Option('--depth <word>').choices(['deep', 'flat']));
program.command('plant').addArgument(new Argument('<what>').choices(['oak', 'elm']));
program.command('gate').command('open').option('--wide');

/** What bash offers after these words; the last one is being typed. */
function offered(...words: string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(garden ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _garden; echo "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
}

test('bash offers the commands and flags that can follow', () => {
  expect(offered('')).toEqual(['water', 'plant', 'gate', '--data', '--depth', '--help']);
  expect(offered('wa')).toEqual(['water']);
  expect(offered('water', '--')).toEqual(['--data', '--depth', '--slowly', '--help']);
  expect(offered('gate', '')).toContain('open');
  expect(offered('--data', 'somewhere', 'gate', 'open', '--w')).toEqual(['--wide']);
});

test('bash offers the values of a flag and of an argument', () => {
  expect(offered('--depth', '')).toEqual(['deep', 'flat']);
  expect(offered('water', '--depth', 'f')).toEqual(['flat']);
  expect(offered('plant', 'e')).toEqual(['elm']);
  expect(completionScript(program, 'fish')).toContain("-l depth -x -a 'deep flat'");
});

test('zsh and fish have scripts of their own', () => {
  expect(completionScript(program, 'zsh')).toContain('bashcompinit');
  expect(completionScript(program, 'fish')).toContain(
    '__fish_seen_subcommand_from gate; and __fish_seen_subcommand_from open',
  );
});

test('another shell is refused with the ones that work', () => {
  expect(() => completionScript(program, 'tcsh')).toThrow('choose bash, zsh or fish');
});
