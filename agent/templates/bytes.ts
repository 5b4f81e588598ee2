/** Classes of bytes, as the scanner needs them. */
export const SPACE = 0;
/** Ends every token: brackets, quotes, commas and the like. */
export const DELIMITER = 1;
/** May stand inside a token, but not at its end. */
export const INNER = 2;
export const DIGIT = 3;
/** Letters, the underscore and every byte beyond ASCII. */
export const LETTER = 4;

export const CLASS = new Uint8Array(256).fill(LETTER);
for (let byte = 0; byte < 128; byte++) {
  const char = String.fromCharCode(byte);
  if (byte <= 32 || byte === 127) CLASS[byte] = SPACE;
  else if (/[,;!=|"'[\](){}<>]/.test(char)) CLASS[byte] = DELIMITER;
  else if (/[0-9]/.test(char)) CLASS[byte] = DIGIT;
  else if (!/[A-Za-z_]/.test(char)) CLASS[byte] = INNER;
}

/** 1 for what is a hexadecimal digit. */
export const HEX = new Uint8Array(256);
for (const char of '0123456789abcdefABCDEF') HEX[char.charCodeAt(0)] = 1;

export const isDigit = (byte: number | undefined): boolean => CLASS[byte ?? 0] === DIGIT;
export const isHex = (byte: number | undefined): boolean => HEX[byte ?? 0] === 1;
export const isWordByte = (byte: number | undefined): boolean => (CLASS[byte ?? 0] ?? 0) >= DIGIT;
