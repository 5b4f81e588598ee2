/** One file of the checkout, as the shape rules see it. */
export interface TreeFile {
  path: string;
  lines: number;
}

const TOP_LEVEL = new Set([
  'agent', 'hub', 'proto', 'plugins', 'installers', 'deploy', 'test',
  'package.json', 'package-lock.json', 'tsconfig.json', 'Makefile',
  'README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md',
]); // prettier-ignore

const EMPTY_NAMES = /(^|[/-])(utils?|helpers?|common|misc|shared|types|manager|base)(?=[./-]|$)/;

const NOUN = '[a-z0-9]+(-[a-z0-9]+)*';

/** What may lie in a room of each kind, as patterns below the room. Files named `<noun>.ts` are the room's own pure parts. */
const ROOMS: readonly { kind: string; room: RegExp; files: readonly RegExp[]; needs: readonly string[] }[] = [
  {
    kind: 'service',
    room: /^hub\/services\/([^/]+)\//,
    // A folder that holds a noun of its own may have a page of its own.
    files: [
      new RegExp(`^${NOUN}(\\.test)?\\.ts$`),
      new RegExp(`^${NOUN}/${NOUN}(\\.test)?\\.ts$`),
      new RegExp(`^(${NOUN}/)?README\\.md$`),
    ],
    needs: ['index.ts', 'config.ts', 'errors.ts', 'README.md'],
  },
  {
    kind: 'adapter',
    room: /^hub\/adapters\/[^/]+\/([^/]+)\//,
    files: [new RegExp(`^${NOUN}(\\.test)?\\.ts$`), /^README\.md$/],
    needs: ['index.ts'],
  },
  {
    kind: 'collector',
    room: /^plugins\/collectors\/([^/]+)\//,
    files: [new RegExp(`^${NOUN}(\\.test)?\\.ts$`), /^README\.md$/, /^testdata\//],
    needs: ['index.ts', 'README.md'],
  },
  {
    kind: 'channel',
    room: /^plugins\/channels\/([^/]+)\//,
    files: [new RegExp(`^${NOUN}(\\.test)?\\.ts$`), /^README\.md$/],
    needs: ['index.ts'],
  },
];

/** Folders that hold what several rooms of a kind stand on; they are no room of that kind. */
const FOUNDATIONS =
  /^(hub\/adapters\/(duckdb|relational\/sessions|series\/points)|plugins\/collectors\/(programs|control-groups))\//;

const LINE_LIMIT = 500;

function nameFaults({ path }: TreeFile): string[] {
  const top = path.split('/')[0] ?? '';
  const faults: string[] = [];
  if (!top.startsWith('.') && !TOP_LEVEL.has(top))
    faults.push(`${path}: the top level is fixed; put it into one of its folders`);
  if (path.includes('/testdata/') || path.startsWith('proto/gen/') || top.startsWith('.')) return faults;
  if (EMPTY_NAMES.test(path)) faults.push(`${path}: the name says nothing; name it for what it does`);
  const file = path.split('/').at(-1) ?? '';
  const isCode = /\.(ts|tsx|css)$/.test(file);
  if (isCode && !/^[a-z0-9]+([.-][a-z0-9]+)*\.(ts|tsx|css)$/.test(file))
    faults.push(`${path}: file names are kebab-case`);
  return faults;
}

function roomFaults(files: readonly TreeFile[]): string[] {
  const faults: string[] = [];
  const held = new Map<string, { needs: readonly string[]; kind: string; names: Set<string> }>();
  for (const { path } of files) {
    if (FOUNDATIONS.test(path)) continue;
    for (const { kind, room, files: allowed, needs } of ROOMS) {
      const match = room.exec(path);
      if (match === null) continue;
      const folder = match[0];
      const rest = path.slice(folder.length);
      const names = held.get(folder)?.names ?? new Set<string>();
      held.set(folder, { needs, kind, names: names.add(rest) });
      if (!allowed.some((pattern) => pattern.test(rest)))
        faults.push(`${path}: a ${kind} has no file of this name (see STYLE in CONTRIBUTING.md)`);
    }
  }
  for (const [folder, { needs, kind, names }] of held) {
    for (const need of needs.filter((name) => !names.has(name))) {
      const how = kind === 'collector' && need === 'README.md' ? ': run make docs, which writes it' : '';
      faults.push(`${folder}${need}: every ${kind} has one${how}`);
    }
  }
  return faults;
}

/** Files that nobody may make longer, because a reader must hold one in the head. */
function sizeFaults(files: readonly TreeFile[]): string[] {
  return files
    .filter(
      ({ path, lines }) =>
        /\.(ts|tsx|js|mjs|css)$/.test(path) &&
        lines > LINE_LIMIT &&
        !path.startsWith('proto/gen/') &&
        !path.includes('.gen.'),
    )
    .map(({ path, lines }) => `${path}: ${lines} lines; over ${LINE_LIMIT} look for the second noun`);
}

/** Every fault in names, rooms and sizes, one sentence each. */
export function shapeFaults(files: readonly TreeFile[]): string[] {
  return [...files.flatMap(nameFaults), ...roomFaults(files), ...sizeFaults(files)];
}
