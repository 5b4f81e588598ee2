/** How many letters differ between two words (Levenshtein's distance); two neighbours that changed places are one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j] ? (before[j - 1] ?? 0) + 1 : Infinity;
      const changed = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, changed, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

/** What a word is but for how it is written: `open_files` is openFiles. */
const bare = (word: string): string => word.toLowerCase().replace(/[\s_.-]/g, '');

/** Longer words are not looked at: nobody typed them by mistake for a name. */
const LONGEST = 100;

/** Of words up to here one may be the beginning of the other: `warning` is warn. */
const SHORT = 12;

/** The known name that a misspelt one is most likely to mean; undefined when none is near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const given = bare(word);
  if (given.length < 2 || given.length > LONGEST) return undefined;
  // One letter in four: more is another word.
  const most = Math.min(3, Math.max(1, Math.floor(given.length / 4)));
  const begins = (name: string): boolean =>
    Math.min(name.length, given.length) >= 3 &&
    Math.max(name.length, given.length) <= Math.min(SHORT, 2 * Math.min(name.length, given.length)) &&
    (name.startsWith(given) || given.startsWith(name));
  const rated = known
    .map((name) => ({ name, away: distance(given, bare(name)) }))
    .filter(({ away }) => away <= most && away < given.length - 1);
  const longer = (name: string): number => Math.abs(bare(name).length - given.length);
  const [best] = rated.sort((a, b) => a.away - b.away || longer(a.name) - longer(b.name));
  return best?.name ?? known.find((name) => begins(bare(name)));
}
