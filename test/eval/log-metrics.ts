/** How well templates were found, each from 0 to 1: grouping accuracy, F1 of groups, parsing accuracy, F1 of templates. */
export interface LogMetrics {
  ga: number;
  fga: number;
  pa: number;
  fta: number;
  /** How many templates there are, and how many were found. */
  labelled: number;
  found: number;
}

const squeezed = (text: string): string => text.split(/\s+/).filter(Boolean).join(' ');

/**
 * Compares the templates found for lines with those of the labels, both in the order of the lines, as the study of Loghub-2.0 does: a group of lines is
 * right where it holds the very lines of one label; a text is right where it is that of the label but for white space.
 */
export function scoreTemplates(labels: readonly string[], found: readonly string[]): LogMetrics {
  const groups = new Map<string, number[]>();
  const sizes = new Map<string, number>();
  let exact = 0;
  labels.forEach((label, line) => {
    sizes.set(label, (sizes.get(label) ?? 0) + 1);
    const text = found[line] ?? '';
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [line]);
    else group.push(line);
    if (squeezed(text) === squeezed(label)) exact++;
  });
  let linesRight = 0;
  let groupsRight = 0;
  let textsRight = 0;
  for (const [text, lines] of groups) {
    const label = labels[lines[0] ?? 0] ?? '';
    if (sizes.get(label) !== lines.length || lines.some((line) => labels[line] !== label)) continue;
    linesRight += lines.length;
    groupsRight++;
    if (squeezed(text) === squeezed(label)) textsRight++;
  }
  const f1 = (right: number): number => (right === 0 ? 0 : (2 * right) / (groups.size + sizes.size));
  return {
    ga: linesRight / labels.length,
    fga: f1(groupsRight),
    pa: exact / labels.length,
    fta: f1(textsRight),
    labelled: sizes.size,
    found: groups.size,
  };
}
