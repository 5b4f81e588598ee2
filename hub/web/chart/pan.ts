import uPlot from 'uplot';

/** Moves the shown time along with the mouse until it is let go; all charts of the crosshair follow. */
export function pan(of: uPlot, start: MouseEvent, zoom: (fromMs: number, toMs: number) => void): void {
  const { min, max } = of.scales['x'] ?? {};
  if (min === undefined || max === undefined) return;
  const msPerPixel = (max - min) / (of.bbox.width / uPlot.pxRatio);
  const plots = uPlot.sync(of.cursor.sync?.key ?? '').plots;
  const shift = (event: MouseEvent): number => (start.clientX - event.clientX) * msPerPixel;
  const move = (event: MouseEvent): void => {
    for (const plot of plots) plot.setScale('x', { min: min + shift(event), max: max + shift(event) });
  };
  const end = (event: MouseEvent): void => {
    document.removeEventListener('mousemove', move);
    document.removeEventListener('mouseup', end);
    if (Math.abs(event.clientX - start.clientX) > 4) zoom(min + shift(event), max + shift(event));
  };
  document.addEventListener('mousemove', move);
  document.addEventListener('mouseup', end);
}
