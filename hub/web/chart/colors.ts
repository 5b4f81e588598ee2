/** How many colours the palette has. */
const COLORS = 8;
/** The last one is grey: it is for what is left over, and given only on purpose. */
const CHOSEN = COLORS - 1;

/** The colours of the page that a canvas needs, as the theme has them now. */
export interface Ink {
  series: readonly string[];
  ground: string;
  grid: string;
  line: string;
  quiet: string;
  text: string;
  mark: string;
  info: string;
  warning: string;
  critical: string;
}

/** Reads the tokens of the theme that is shown. */
export function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement('canvas').getContext('2d');
  const token = (name: string): string => {
    const written = style.getPropertyValue(`--${name}`).trim();
    if (canvas === null) return written;
    // However a build shortens a colour (#fff, red), a canvas reads it back with six digits.
    canvas.fillStyle = written;
    return canvas.fillStyle;
  };
  return {
    series: Array.from({ length: COLORS }, (_, index) => token(`series-${index + 1}`)),
    ground: token('ground'),
    grid: token('grid'),
    line: token('line'),
    quiet: token('quiet'),
    text: token('text'),
    mark: token('mark'),
    info: token('info'),
    warning: token('warning'),
    critical: token('critical'),
  };
}

const channels = (hex: string): number[] => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) || 0);

/** A colour with a share of it on a ground, opaque: what lies under it does not shine through. */
export function blend(color: string, ground: string, share: number): string {
  const [over, under] = [channels(color), channels(ground)];
  const mixed = over.map((value, index) => Math.round(value * share + (under[index] ?? 0) * (1 - share)));
  return `rgb(${mixed.join(' ')})`;
}

/** A colour that what lies under it shines through. */
export const veil = (color: string, share: number): string => `rgb(${channels(color).join(' ')} / ${share})`;

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
  return value >>> 0;
}

/**
 * Gives lines their place in the palette. A line keeps its colour whenever it comes, and in every chart that shows it; lines that are shown
 * together share one only when there are more lines than colours.
 */
export function createPalette() {
  const everywhere = new Map<string, number>();
  /** Where two lines of a chart have got the same colour elsewhere, one of them has another one here. */
  const here = new Map<string, number>();
  return {
    /** Places in the palette of the lines of a chart that are shown together. */
    assign(chart: string, keys: readonly string[]): number[] {
      const known = keys.map((key) => here.get(`${chart} ${key}`) ?? everywhere.get(key));
      const taken = new Set(known.filter((place) => place !== undefined));
      const seen = new Set<number>();
      return keys.map((key, index) => {
        const there = known[index];
        if (there !== undefined && (!seen.has(there) || here.has(`${chart} ${key}`) || taken.size >= CHOSEN)) {
          seen.add(there);
          return there;
        }
        const wish = hash(key) % CHOSEN;
        const turns = Array.from({ length: CHOSEN }, (_, step) => (wish + step) % CHOSEN);
        const place = turns.find((one) => !taken.has(one)) ?? wish;
        if (there === undefined) everywhere.set(key, place);
        else here.set(`${chart} ${key}`, place);
        taken.add(place);
        seen.add(place);
        return place;
      });
    },
  };
}

/** The palette of the page. */
export const palette = createPalette();
