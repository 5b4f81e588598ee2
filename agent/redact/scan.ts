/**
 * Three characters in a row that some secret has where its kind shows, whatever their case. Rare ones were chosen: what they find is looked at closely.
 */
const TRIGGERS = [
  'pas', 'pwd', 'ecr', 'tok', 'key', 'tia', 'uth', 'bea', 'd b', 'sig',
  'kia', 'sia', 'bia', 'cca', 'aiz', 'ya2', 'p_v', 'hp_', 'ho_', 'hu_', 'hs_', 'hr_', 'b_p', 'lpa', 'xox', 'k_l', 'k_t', 'hse', 'pm_', 'ypi', 'sg.', 'sk-',
  'hf_', 'shp', 'kr_', 'hvs', 'rk_', 'rj_', ':aa', 'ks.', 'eyj', '-be',
]; // prettier-ignore
const URL = '://';

/** 0 for what no trigger holds. */
const symbols = new Uint8Array(256);
[...'abcdefghijklmnopqrstuvwxyz0123456789-_.:/ '].forEach((character, index) => {
  symbols[character.charCodeAt(0)] = index + 1;
  symbols[character.toUpperCase().charCodeAt(0)] = index + 1;
});
const SYMBOL_BITS = 6;
const MASK = (1 << (3 * SYMBOL_BITS)) - 1;

const triggers = new Uint32Array((MASK + 1) >> 5);
const codeOf = (text: string): number =>
  [...text].reduce((code, character) => ((code << SYMBOL_BITS) | (symbols[character.charCodeAt(0)] ?? 0)) & MASK, 0);
for (const trigger of [...TRIGGERS, URL]) {
  const code = codeOf(trigger);
  triggers[code >> 5] = (triggers[code >> 5] ?? 0) | (1 << (code & 31));
}
const URL_CODE = codeOf(URL);

/** Digits count on, blanks and dashes between them keep the count, all else ends it. */
const counts = new Uint8Array(256);
const keeps = new Uint8Array(256);
for (const digit of '0123456789') counts[digit.charCodeAt(0)] = keeps[digit.charCodeAt(0)] = 1;
for (const between of ' -') keeps[between.charCodeAt(0)] = 1;
/** The fewest digits of a card's number. */
const CARD_DIGITS = 13;

/** So far before the end of its user name and password a URL may begin. */
const URL_LOOK = 300;
const SLASH = 47;
const AT = 64;

/** True where an `@` follows before the host of a URL ends. */
function namesSomebody(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < Math.min(end, from + URL_LOOK); at++) {
    const byte = bytes[at] ?? 0;
    if (byte === AT) return true;
    if (byte <= 32 || byte === SLASH || byte === 34) return false;
  }
  return false;
}

/**
 * Where something first shows, at or after `from`, that may be a secret; `bytes.length` when nothing does. One pass over
 * the bytes for all kinds.
 */
export function scan(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  let code = 0;
  let digits = 0;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number;
    code = ((code << SYMBOL_BITS) | (symbols[byte] as number)) & MASK;
    digits = digits * (keeps[byte] as number) + (counts[byte] as number);
    if (digits >= CARD_DIGITS) return at;
    if ((((triggers[code >> 5] as number) >> (code & 31)) & 1) === 0) continue;
    if (code !== URL_CODE || namesSomebody(bytes, at + 1, end)) return at;
  }
  return end;
}
