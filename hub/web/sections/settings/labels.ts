/** What a person typed as labels: `env=prod team=core`, with spaces or commas between. */
export function readLabels(text: string): { labels: Record<string, string> } | { fault: string } {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const wrong = parts.find((part) => !/^[^=]+=.+$/.test(part));
  if (wrong !== undefined) return { fault: `“${wrong}” is no label. Write key=value.` };
  return {
    labels: Object.fromEntries(
      parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
    ),
  };
}
