import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { completionScript } from './completion.ts';

const program = new Command('garden').option('--data <folder>');
program.command('water').option('--slowly');
program.command('gate').command('open').option('--wide');

/** What bash offers after these words; the last one is being typed. */
function offered(...words: string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(garden ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _garden; echo "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
}

test('bash offers the commands and flags that can follow', () => {
  expect(offered('')).toEqual(['water', 'gate', '--data', '--help']);
  expect(offered('wa')).toEqual(['water']);
  expect(offered('water', '--')).toEqual(['--data', '--slowly', '--help']);
  expect(offered('gate', '')).toContain('open');
  expect(offered('--data', 'somewhere', 'gate', 'open', '--w')).toEqual(['--wide']);
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
