import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';

/** One thing that a document says. */
export interface SettingLine {
  /** The same in two documents for the same thing. */
  key: string;
  name: string;
  value: string;
}

/** What is different in another document; absent where one of the two says nothing. */
export interface SettingChange {
  key: string;
  name: string;
  before: string | undefined;
  after: string | undefined;
}

type DropRule = NonNullable<PushedDocument['drop']>[number];
type Pattern = NonNullable<NonNullable<PushedDocument['redact']>['patterns']>[number];

function dropWords({ pattern, below }: DropRule): string {
  const matching = pattern === undefined ? [] : [`match /${pattern}/`];
  const lower = below === undefined ? [] : [`are below ${below}`];
  return `lines that ${[...matching, ...lower].join(' and ')}`;
}

const patternWords = ({ pattern, ignoreCase }: Pattern): string =>
  `what matches /${pattern}/${ignoreCase === true ? ', in capitals or not' : ''}`;

/** Two rules may have one name: the second is another line. */
function numbered(lines: readonly SettingLine[]): SettingLine[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const nth = (seen.get(line.key) ?? 0) + 1;
    seen.set(line.key, nth);
    return nth === 1 ? line : { ...line, key: `${line.key} ${nth}` };
  });
}

/** What a document says, in words. */
export function linesOf({ log, collectors = {}, drop = [], redact }: PushedDocument): SettingLine[] {
  const { email, ip, patterns = [] } = redact ?? {};
  return numbered([
    ...(log === undefined ? [] : [{ key: 'log.level', name: 'Agent’s own log', value: `from ${log.level} on` }]),
    ...Object.entries(collectors)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { interval }]) => ({
        key: `collectors.${name}`,
        name: `Collector ${name}`,
        value: `every ${interval} s`,
      })),
    ...drop.map((rule) => ({ key: `drop.${rule.rule}`, name: `Leave out: ${rule.rule}`, value: dropWords(rule) })),
    ...(email === true ? [{ key: 'redact.email', name: 'Replace: e-mail addresses', value: 'in every line' }] : []),
    ...(ip === true ? [{ key: 'redact.ip', name: 'Replace: IP addresses', value: 'in every line' }] : []),
    ...patterns.map((one) => ({
      key: `redact.patterns.${one.name}`,
      name: `Replace: ${one.name}`,
      value: patternWords(one),
    })),
  ]);
}

/** What is different between two documents: what is changed or taken away first, in the order of the first one, then what is new. */
export function changesOf(before: PushedDocument, after: PushedDocument): SettingChange[] {
  const [old, next] = [linesOf(before), linesOf(after)];
  const nextOf = new Map(next.map((line) => [line.key, line]));
  const known = new Set(old.map(({ key }) => key));
  return [
    ...old.map(({ key, name, value }) => ({ key, name, before: value, after: nextOf.get(key)?.value })),
    ...next
      .filter(({ key }) => !known.has(key))
      .map(({ key, name, value }) => ({ key, name, before: undefined, after: value })),
  ].filter((change) => change.before !== change.after);
}

/** A document in a few words: what it has of each kind. */
export function summaryOf({ log, collectors = {}, drop = [], redact }: PushedDocument): string {
  const many = (count: number, one: string, more: string): string[] =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : more}`];
  const replaced = [redact?.email, redact?.ip].filter((on) => on === true).length + (redact?.patterns?.length ?? 0);
  const parts = [
    ...(log === undefined ? [] : [`own log from ${log.level}`]),
    ...many(Object.keys(collectors).length, 'interval', 'intervals'),
    ...many(drop.length, 'rule that leaves lines out', 'rules that leave lines out'),
    ...many(replaced, 'kind replaced', 'kinds replaced'),
  ];
  return parts.length === 0 ? 'nothing: agents have their own settings' : parts.join(', ');
}
