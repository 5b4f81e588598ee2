import { defineProblems } from './problem.ts';

const problems = defineProblems('completion', {
  unknownShell: { status: 400, title: 'There is no completion script for this shell.' },
});

/** As much of a commander command as a completion script needs. */
export interface CommandTree {
  name(): string;
  readonly commands: readonly CommandTree[];
  readonly options: readonly { long?: string | null }[];
}

interface Place {
  /** Names of the commands that lead here, without the program's. */
  path: string;
  words: string[];
}

/** Words that may follow each command, the program itself first. */
function placesOf(command: CommandTree, above: readonly string[] = [], inherited: readonly string[] = []): Place[] {
  const flags = [...inherited, ...command.options.flatMap(({ long }) => long ?? [])];
  const words = [...command.commands.map((child) => child.name()), ...flags, '--help'];
  const below = command.commands.flatMap((child) => placesOf(child, [...above, child.name()], flags));
  return [{ path: above.join(' '), words: [...new Set(words)] }, ...below];
}

/** One function that works in bash, and in zsh through its own bash emulation. */
function bashScript(name: string, places: readonly Place[]): string {
  const cases = places.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`).join('\n');
  const known = places.map(({ path }) => `'${path}'`).join('|');
  return `_${name.replaceAll('-', '_')}() {
  local at='' word next words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in ${known}) at="$next" ;; esac
  done
  case "$at" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${name.replaceAll('-', '_')} ${name}
`;
}

function fishScript(name: string, places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) => {
    const seen = path.split(' ').filter((word) => word !== '');
    const when = seen.length === 0 ? '__fish_use_subcommand' : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and '); // prettier-ignore
    return words.map((word) => `complete -c ${name} -n '${when}' ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`}`); // prettier-ignore
  });
  return `${lines.join('\n')}\n`;
}

/** The completion script of a program for bash, zsh or fish; to be sourced by the shell. */
export function completionScript(program: CommandTree, shell: string): string {
  const places = placesOf(program);
  if (shell === 'bash') return bashScript(program.name(), places);
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program.name(), places)}`;
  if (shell === 'fish') return fishScript(program.name(), places);
  throw problems.unknownShell(`There is no completion script for ${shell}; choose bash, zsh or fish.`);
}
