import type { Columns } from './buffer.ts';
import type { Ink } from './colors.ts';
import type { ChartLine } from './line.ts';

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A chart as comma-separated values: a row a step, with the mean, least and most of each line. Gaps are empty. */
export function csvOf(lines: readonly ChartLine[], { times, lines: columns }: Columns): string {
  const statistics = ['avg', 'min', 'max'] as const;
  const head = ['time', ...lines.flatMap(({ label }) => statistics.map((name) => quoted(`${label} ${name}`)))];
  const rows = times.map((at, index) => [
    new Date(at).toISOString(),
    ...columns.flatMap((line) => statistics.map((name) => line[name][index] ?? '')),
  ]);
  return [head, ...rows].map((row) => row.join(',')).join('\n');
}

/** What is drawn into the picture of a chart beside its canvas. */
export interface Picture {
  title: string;
  canvas: HTMLCanvasElement;
  lines: readonly { label: string; color: string }[];
  ink: Ink;
}

/** A chart with its title and the names of its lines as a PNG. */
export async function pngOf({ title, canvas, lines, ink }: Picture): Promise<Blob> {
  const scale = devicePixelRatio;
  const family = getComputedStyle(document.body).fontFamily;
  const out = new OffscreenCanvas(canvas.width + 16 * scale, canvas.height + 72 * scale);
  const ctx = out.getContext('2d');
  if (ctx === null) throw new Error('This browser cannot draw the picture.');
  ctx.fillStyle = ink.ground;
  ctx.fillRect(0, 0, out.width, out.height);
  ctx.drawImage(canvas, 8 * scale, 36 * scale);
  ctx.textBaseline = 'middle';
  ctx.fillStyle = ink.text;
  ctx.font = `600 ${14 * scale}px ${family}`;
  ctx.fillText(title, 16 * scale, 20 * scale);
  ctx.font = `${12 * scale}px ${family}`;
  let x = 16 * scale;
  const y = out.height - 18 * scale;
  for (const { label, color } of lines) {
    ctx.fillStyle = color;
    ctx.fillRect(x, y - 5 * scale, 10 * scale, 10 * scale);
    ctx.fillStyle = ink.text;
    ctx.fillText(label, x + 14 * scale, y);
    x += ctx.measureText(label).width + 30 * scale;
  }
  return out.convertToBlob({ type: 'image/png' });
}

/** Puts something on the clipboard, or saves it where the clipboard is closed to us. True when it was copied. */
export async function copyOrSave(blob: Blob, name: string): Promise<boolean> {
  try {
    await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
    return true;
  } catch {
    // The clipboard needs a secure page and a permission; a file needs neither.
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    return false;
  }
}
