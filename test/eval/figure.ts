/** One curve over the samples of a figure; several panels stand above each other. */
export interface Panel {
  /** What it shows, with its unit. */
  title: string;
  values: ArrayLike<number>;
  /** A line at this height, such as the one from which an alert is due. */
  level?: number;
  /** Samples with a mark: alerts. */
  marks?: readonly number[];
}

/** A picture of what a detector made of some data. */
export interface Figure {
  title: string;
  panels: readonly Panel[];
  /** First and last sample of what people labelled. */
  labelled: readonly (readonly [number, number])[];
}

const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [860, 120, 12, 34, 30];

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 } .title { font-weight: 600 } .curve { stroke: #2563a8; stroke-width: 1; fill: none }
  .labelled { fill: #d9a441; opacity: .35 } .level { stroke: #888; stroke-dasharray: 4 3 } .mark { fill: #b3261e }
  @media (prefers-color-scheme: dark) { svg { background: #14181d } text { fill: #ddd } .curve { stroke: #7cb2ee } .mark { fill: #ff8a80 } }`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The least and the greatest value of each column of pixels, so that no spike is lost. */
function pathOf(values: ArrayLike<number>, yOf: (value: number) => number): string {
  const per = values.length / WIDTH;
  let path = '';
  for (let x = 0; x < WIDTH; x++) {
    let [low, high] = [Infinity, -Infinity];
    for (let n = Math.floor(x * per); n < Math.max(Math.floor(x * per) + 1, Math.floor((x + 1) * per)); n++) {
      const value = values[n] ?? NaN;
      if (Number.isNaN(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) continue;
    path += `${path === '' ? 'M' : 'L'}${LEFT + x} ${yOf(low).toFixed(1)}`;
    if (high > low) path += `V${yOf(high).toFixed(1)}`;
  }
  return path;
}

/** Draws a figure as SVG that follows the reader's light or dark page. */
export function svgOf({ title, panels, labelled }: Figure): string {
  const height = TOP + panels.length * (HEIGHT + GAP);
  const samples = panels[0]?.values.length ?? 1;
  const xOf = (sample: number): number => LEFT + (sample / samples) * WIDTH;
  const parts = panels.map(({ title: name, values, level, marks = [] }, n) => {
    const top = TOP + GAP / 2 + n * (HEIGHT + GAP);
    const finite = Array.from(values).filter(Number.isFinite);
    const low = finite.reduce((least, value) => Math.min(least, value), level ?? Infinity);
    const high = finite.reduce((most, value) => Math.max(most, value), level ?? -Infinity);
    const yOf = (value: number): number => top + HEIGHT - ((value - low) / (high - low || 1)) * HEIGHT;
    const bands = labelled.map(([from, to]) => `<rect class="labelled" x="${xOf(from).toFixed(1)}" y="${top}" width="${Math.max(1, xOf(to) - xOf(from)).toFixed(1)}" height="${HEIGHT}"/>`); // prettier-ignore
    const line = level === undefined ? '' : `<line class="level" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${yOf(level)}" y2="${yOf(level)}"/>`; // prettier-ignore
    const dots = marks.map((at) => `<circle class="mark" cx="${xOf(at).toFixed(1)}" cy="${(top + HEIGHT + 5).toFixed(1)}" r="3"/>`); // prettier-ignore
    return `<text x="${LEFT}" y="${top - 5}">${escaped(name)}: ${short(low)} to ${short(high)}</text>${bands.join('')}${line}<path class="curve" d="${pathOf(values, yOf)}"/>${dots.join('')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 2 * LEFT} ${height}" role="img"><title>${escaped(title)}</title><style>${STYLE}\n</style>\n<text class="title" x="${LEFT}" y="18">${escaped(title)}</text>\n${parts.join('\n')}\n</svg>\n`;
}

const short = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en');
