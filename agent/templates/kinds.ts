/** What a token of a line is. Below `FIRST_MASK` its text may be a constant; from there on it is always a value. */
export const KIND = {
  /** Letters only. */
  word: 0,
  /** Letters with digits in them, such as `ssh2` or `node17`. */
  code: 1,
  /** Words joined by dots, such as a class or a host. */
  name: 2,
  /** Nothing, where a value could stand: between brackets, after `key=`. */
  empty: 3,
  /** The name of the superuser: a value in the text, yet no proof that others are. */
  user: 4,
  /** A word where one expects a value: after `key=`, in quotes, after a noun that a name follows. */
  expected: 5,
  /** Several words in quotes behind `key=` or `"key":`. */
  quoted: 6,
  number: 8,
  address: 9,
  hex: 10,
  uuid: 11,
  mac: 12,
  time: 13,
  path: 14,
  url: 15,
  flag: 16,
  any: 17,
  host: 18,
  /** A number and a unit of bytes behind a blank, with a rounded one in brackets or without: `1190 bytes (1.16 KB)`. */
  size: 19,
  /** A number and a unit of time behind a blank: `20 ms`, `<1 sec`. */
  duration: 20,
  /** Five values of one kind or more, with the same between them. */
  list: 21,
} as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

export const FIRST_MASK = 8;

/** How values of a kind are written in a template. */
export const WILDCARDS: Readonly<Record<number, string>> = {
  [KIND.number]: '<num>',
  [KIND.address]: '<ip>',
  [KIND.hex]: '<hex>',
  [KIND.uuid]: '<uuid>',
  [KIND.mac]: '<mac>',
  [KIND.time]: '<time>',
  [KIND.path]: '<path>',
  [KIND.url]: '<url>',
  [KIND.flag]: '<flag>',
  [KIND.any]: '<*>',
  [KIND.user]: '<user>',
  [KIND.host]: '<host>',
  [KIND.size]: '<size>',
  [KIND.duration]: '<duration>',
  [KIND.list]: '<list>',
};

/** Where the white space between two tokens is not always the same. */
export const SPACING = '<ws>';
