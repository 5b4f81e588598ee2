/** Colours, cursor movements, titles and links that programs write for terminals. */
const TERMINAL =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])|\u009b[0-?]*[ -/]*[@-~]/g;
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (character === '\n') return '↵'; // Its own picture is an empty box in many fonts.
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : `\u27e8${code.toString(16).toUpperCase().padStart(2, '0')}\u27e9`;
}

/** The text as it can be shown: no terminal codes, control characters as pictures, and nothing that turns the reading direction unseen. */
export const plainText = (text: string): string =>
  text
    .replace(TERMINAL, '')
    .replace(DIRECTION, (mark) => `\u27e8U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`)
    .replace(CONTROL, picture);

/** The same of a text of several lines, which stay lines. */
export const plainLines = (text: string): string => text.split('\n').map(plainText).join('\n');

/** A part of a text; `hit` when it was searched for. */
export interface Part {
  text: string;
  hit: boolean;
}

/** Cuts a text at every place where it holds `wanted`, in any case. */
export function partsOf(text: string, wanted: string | undefined): Part[] {
  if (wanted === undefined || wanted === '') return [{ text, hit: false }];
  const pattern = new RegExp(`(${wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})`, 'gi');
  return text
    .split(pattern)
    .map((part, index) => ({ text: part, hit: index % 2 === 1 }))
    .filter((part) => part.text !== '');
}
