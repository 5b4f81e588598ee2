import { useCallback, useState } from 'react';

/** A choice that this browser keeps under a name, such as which columns are shown. `check` reads what was kept, which anybody may have written. */
export function useKept<T>(name: string, check: (kept: unknown) => T): readonly [T, (next: T) => void] {
  const key = `outrider.${name}`;
  const [value, setValue] = useState<T>(() => {
    try {
      return check(JSON.parse(localStorage.getItem(key) ?? 'null'));
    } catch {
      return check(null); // Storage may be closed or hold nonsense; neither matters here.
    }
  });
  const keep = useCallback(
    (next: T): void => {
      setValue(next);
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // Then it lasts until the next reload.
      }
    },
    [key],
  );
  return [value, keep];
}
