/** One beat a second for all charts, and none while nobody looks. */
const drawers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function beat(): void {
  if (document.hidden) return;
  requestAnimationFrame(() => {
    for (const draw of drawers) draw();
  });
}

function seen(): void {
  if (!document.hidden) beat();
}

/** Calls `draw` once a second, together with all others, while the page is seen. */
export function onBeat(draw: () => void): () => void {
  drawers.add(draw);
  if (timer === undefined) {
    timer = setInterval(beat, 1000);
    document.addEventListener('visibilitychange', seen);
  }
  return () => {
    drawers.delete(draw);
    if (drawers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    document.removeEventListener('visibilitychange', seen);
  };
}

const watched = new WeakMap<Element, (visible: boolean) => void>();
let observer: IntersectionObserver | undefined;

/** Tells whether an element is in view or near it. */
export function onView(element: Element, tell: (visible: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => entries.forEach(({ target, isIntersecting }) => watched.get(target)?.(isIntersecting)),
    { rootMargin: '80px' },
  );
  watched.set(element, tell);
  observer.observe(element);
  return () => {
    watched.delete(element);
    observer?.unobserve(element);
  };
}
