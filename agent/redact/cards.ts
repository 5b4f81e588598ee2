/** First digits and lengths that networks of cards use; a date or a serial number seldom has them. */
function hasNetwork(digits: string): boolean {
  const four = Number(digits.slice(0, 4));
  switch (digits.length) {
    case 13:
      return digits.startsWith('4');
    case 14:
      return (four >= 3000 && four < 3060) || digits.startsWith('36') || digits.startsWith('38');
    case 15:
      return digits.startsWith('34') || digits.startsWith('37');
    case 16:
      return (
        digits.startsWith('4') ||
        (four >= 5100 && four < 5600) ||
        (four >= 2221 && four <= 2720) ||
        (four >= 3528 && four < 3590) ||
        four === 6011 ||
        (four >= 6440 && four < 6600) ||
        digits.startsWith('62')
      );
    default:
      return digits.startsWith('62') || (digits.length === 19 && digits.startsWith('4'));
  }
}

/** Luhn's checksum (ISO/IEC 7812-1). */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const doubled = digit * 2;
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** True of a card's number; blanks and dashes may stand between its digits. */
export function isCard(text: string): boolean {
  const digits = text.replace(/[ -]/g, '');
  return hasNetwork(digits) && passesLuhn(digits);
}
