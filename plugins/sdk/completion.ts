import { defineProblems } from './problem.ts';

const problems = defineProblems('completion', {
  unknownShell: { status: 400, title: 'There is no completion script for this shell.' },
});

/** The shells that have a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Values that a flag or an argument is limited to. */
interface Choice {
  readonly argChoices?: readonly string[] | undefined;
}

/** As much of a commander command as a completion script needs. */
export interface CommandTree {
  name(): string;
  readonly commands: readonly CommandTree[];
  readonly options: readonly (Choice & { long?: string | null })[];
  readonly registeredArguments: readonly Choice[];
}

interface Place {
  /** Names of the commands that lead here, without the program's. */
  path: string;
  words: string[];
}

/** Words that may follow each command, the program itself first. */
function placesOf(command: CommandTree, above: readonly string[] = [], inherited: readonly string[] = []): Place[] {
  const flags = [...inherited, ...command.options.flatMap(({ long }) => long ?? [])];
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const words = [...command.commands.map((child) => child.name()), ...values, ...flags, '--help'];
  const below = command.commands.flatMap((child) => placesOf(child, [...above, child.name()], flags));
  return [{ path: above.join(' '), words: [...new Set(words)] }, ...below];
}

/** The values that each flag is limited to, by flag; a flag means the same wherever it stands. */
function choicesOf(command: CommandTree): Map<string, readonly string[]> {
  const own = command.options.flatMap(({ long, argChoices }) =>
    long && argChoices !== undefined ? [[long, argChoices] as const] : [],
  );
  return new Map([...own, ...command.commands.flatMap((child) => [...choicesOf(child)])]);
}

/** One function that works in bash, and in zsh through its own bash emulation. */
function bashScript(program: CommandTree): string {
  const [name, places] = [program.name(), placesOf(program)];
  const cases = places.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`).join('\n');
  const known = places.map(({ path }) => `'${path}'`).join('|');
  const values = [...choicesOf(program)]
    .map(([flag, words]) => `    ${flag}) words='${words.join(' ')}' ;;\n`)
    .join('');
  return `_${name.replaceAll('-', '_')}() {
  local at='' word next words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in ${known}) at="$next" ;; esac
  done
  case "$at" in
${cases}
  esac
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${values}    *) ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${name.replaceAll('-', '_')} ${name}
`;
}

function fishScript(program: CommandTree): string {
  const choices = choicesOf(program);
  const offer = (word: string): string => {
    if (!word.startsWith('--')) return `-f -a ${word}`;
    const values = choices.get(word);
    return `-l ${word.slice(2)}${values === undefined ? '' : ` -x -a '${values.join(' ')}'`}`;
  };
  const lines = placesOf(program).flatMap(({ path, words }) => {
    const seen = path.split(' ').filter((word) => word !== '');
    const when = seen.length === 0 ? '__fish_use_subcommand' : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and '); // prettier-ignore
    return words.map((word) => `complete -c ${program.name()} -n '${when}' ${offer(word)}`);
  });
  return `${lines.join('\n')}\n`;
}

/** The completion script of a program for bash, zsh or fish; to be sourced by the shell. */
export function completionScript(program: CommandTree, shell: string): string {
  if (shell === 'bash') return bashScript(program);
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`;
  if (shell === 'fish') return fishScript(program);
  throw problems.unknownShell(`There is no completion script for ${shell}; choose bash, zsh or fish.`);
}
