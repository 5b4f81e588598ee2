import { KIND } from './kinds.ts';
import { gapOf, isValue, textOf, type Template } from './template.ts';

/** A template with `<*>` for every wildcard, as log parsing benchmarks write it. */
export function plainTextOf(template: Template): string {
  let text = '';
  for (let at = 0; at <= template.count; at++) {
    const gap = gapOf(template, at).replace(/[\s]+/g, ' ');
    text += at > 0 && template.kind[at - 1] === KIND.path ? gap.replace(/^\.(?= |$)/, '') : gap;
    if (at === template.count) break;
    const kind = template.kind[at] ?? 0;
    if (kind === KIND.time) text += /^\d+:\d+|\D{3}.* \d+:/.test(textOf(template, at)) ? '<*>:<*>:<*>' : '<*>';
    else if (kind === KIND.list)
      text += template.loose[at] === 1 ? '<*>' : textOf(template, at).replace(/[^\s,;]+/g, '<*>');
    else if (kind === KIND.size || kind === KIND.duration)
      text += template.loose[at] === 1 ? '<*>' : textOf(template, at).replace(/\d[\d.,]*/g, '<*>');
    else text += isValue(kind) ? '<*>' : textOf(template, at);
  }
  return Buffer.from(tidy(text), 'latin1').toString('utf8').trim();
}

function tidy(text: string): string {
  return text.replace(/(^|[\s:=,;([{<"'])\/<\*>/g, '$1<*>').replace(/<\*>(?:[.+@#$%&*~-]*<\*>)+/g, '<*>');
}
