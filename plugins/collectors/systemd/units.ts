import { countIn } from '#sdk';

/** What systemd tells of a unit. */
export interface Unit {
  name: string;
  /** `active`, `failed`, `inactive` and so on. */
  state: string;
  isEnabled: boolean;
  /** How often systemd started it anew by itself; `undefined` for what is no service. */
  restarts: number | undefined;
  /** Its path below the control groups' mount; `undefined` while nothing of it runs. */
  group: string | undefined;
  cpuSeconds: number | undefined;
  memory: number | undefined;
  tasks: number | undefined;
}

/** What is asked of each unit. */
export const PROPERTIES = [
  'Id',
  'ActiveState',
  'UnitFileState',
  'NRestarts',
  'ControlGroup',
  'CPUUsageNSec',
  'MemoryCurrent',
  'TasksCurrent',
] as const;

/** What stands for `not known` is the largest number of 64 bits, or a word. */
function known(text: string | undefined): number | undefined {
  const value = countIn(text);
  return value < 2 ** 60 ? value : undefined;
}

function unitOf(block: string): Unit | undefined {
  const properties = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) properties.set(line.slice(0, at), line.slice(at + 1));
  }
  const name = properties.get('Id') ?? '';
  const state = properties.get('ActiveState') ?? '';
  if (name === '' || state === '') return undefined;
  const group = properties.get('ControlGroup') ?? '';
  const cpu = known(properties.get('CPUUsageNSec'));
  return {
    name,
    state,
    isEnabled: /^enabled/.test(properties.get('UnitFileState') ?? ''),
    restarts: known(properties.get('NRestarts')),
    group: /^\/(?!.*\.\.(\/|$))./.test(group) ? group : undefined,
    cpuSeconds: cpu === undefined ? undefined : cpu / 1e9,
    memory: known(properties.get('MemoryCurrent')),
    tasks: known(properties.get('TasksCurrent')),
  };
}

/** Reads what `systemctl show` prints: a block for each unit, an empty line between two. */
export function parseUnits(text: string): Unit[] {
  return text.split(/\n\s*\n/).flatMap((block) => unitOf(block) ?? []);
}

/** A pattern as systemd's own: `*`, `?` and `[…]` stand for letters of a name. */
export function globPattern(glob: string): RegExp {
  const pattern = glob.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return part.replace('[!', '[^').replaceAll('\\', '\\\\');
    return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${pattern}$`, 's');
}
