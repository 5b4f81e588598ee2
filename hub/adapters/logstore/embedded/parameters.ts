/**
 * Where parameters stand in a text: before each the characters since the end of the one before, then its own, with commas between. Lines of one template
 * have nearly the same, which packs to almost nothing, and no text is stored twice. Undefined when there are none, or one does not stand there.
 */
export function placesOf(text: string, parameters: readonly string[] | undefined): string | undefined {
  if (parameters === undefined || parameters.length === 0) return undefined;
  const places: number[] = [];
  let end = 0;
  for (const parameter of parameters) {
    // The first place that holds the same characters is as good as the one that was meant.
    const at = text.indexOf(parameter, end);
    if (at < 0) return undefined;
    places.push(at - end, parameter.length);
    end = at + parameter.length;
  }
  return places.join(',');
}

/** The parameters of a text by their places. */
export function parametersAt(text: string, places: string): string[] {
  const numbers = places.split(',').map(Number);
  const found: string[] = [];
  let end = 0;
  for (let place = 0; place + 1 < numbers.length; place += 2) {
    const at = end + (numbers[place] ?? 0);
    end = at + (numbers[place + 1] ?? 0);
    found.push(text.slice(at, end));
  }
  return found;
}
