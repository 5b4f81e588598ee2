import { isCard } from './cards.ts';

/** What is found in a text and replaced. */
export interface Rule {
  /** What the finds are counted under. */
  kind: string;
  /** Global. What its first group holds is kept. Takes linear time, whatever the text. */
  pattern: RegExp;
  /** False: the find is something else. */
  accepts?(find: string): boolean;
}

/** Names of secrets. */
const NAME =
  'passw(?:or)?d|passwd|pwd|pass[_-]?phrase|secret(?:[_-]?(?:access[_-]?)?key(?:[_-]?base)?)?|token|api[_-]?key|(?:access|account|private|encryption|signing|shared)[_-]?key|credentials?';
/** What opens a value; JSON inside JSON has its quotes escaped. */
const OPEN = String.raw`(?:\\"|["'])?`;
/** A value up to the quote that ends it, or to a blank or what separates. */
const VALUE = String.raw`(?:(?<=\\")(?:[^"\\]|\\(?!"))*|(?<=(?<!\\)")(?:[^"\\]|\\[^])*|(?<=')(?:[^'\\]|\\[^])*|[^\s"',;&<)}\\]+)`;
/** A value that tells nothing. */
const EMPTY = String.raw`(?!(?:\\?["'])?(?:null|true|false|none|nil|undefined|\*\*\*)(?:[\s"'\\,;&)}]|$)|\\?"\\?"|'')`;

/** Schemes whose secret is the one word after them. */
const SCHEME = 'basic|bearer|token|apikey|negotiate';

const flags = 'gi';
const tokens = (...patterns: string[]): RegExp => new RegExp(`(?<![\\w-])(?:${patterns.join('|')})`, 'g');

/** Secrets that are replaced unless the settings say that nothing is. */
export const RULES: readonly Rule[] = [
  {
    kind: 'private-key',
    pattern: /(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
  },
  {
    kind: 'authorization',
    pattern: new RegExp(
      String.raw`(authorization\\?["']?\s{0,3}[:=]\s{0,3}(?:\\?["'])?(?:(?:${SCHEME})\s{1,3})?)(?!\*\*\*|(?:${SCHEME})\s)(?:(?:digest|aws4-hmac-sha256|signature|oauth)\s[^\r\n]*|[^\s"',;\\]+)`,
      flags,
    ),
  },
  {
    kind: 'authorization',
    pattern: /(?<![\w-])(bearer\s{1,3})(?=[A-Za-z._~+/-]{0,200}\d)[\w.~+/-]{12,}=*/gi,
  },
  {
    kind: 'url-password',
    pattern: /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"]{0,80}:)[^\s/"'<>]{1,200}(?=@)/gi,
  },
  {
    kind: 'jwt',
    pattern: /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*){0,3}/g,
  },
  {
    kind: 'cloud-key',
    pattern: tokens(
      '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])',
      'AIza[\\w-]{35}',
      'ya29\\.[\\w-]{20,}',
      'dop_v1_[a-f0-9]{64}',
    ),
  },
  { kind: 'cloud-key', pattern: /([?&;]sig=)[\w%+/=-]{20,}/g },
  {
    kind: 'access-token',
    pattern: tokens(
      'gh[pousr]_[A-Za-z0-9]{30,}',
      'github_pat_\\w{22,}',
      'glpat-[\\w-]{20,}',
      'xox[abeoprs]-[\\w-]{10,}',
      '[sr]k_(?:live|test)_[A-Za-z0-9]{10,}',
      'whsec_[A-Za-z0-9+/]{20,}',
      'npm_[A-Za-z0-9]{36}',
      'pypi-[\\w-]{40,}',
      'SG\\.[\\w-]{16,}\\.[\\w-]{16,}',
      'sk-(?:ant|proj|svcacct)-[\\w-]{20,}',
      'sk-[A-Za-z0-9]{32,}',
      'hf_[A-Za-z0-9]{30,}',
      'shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}',
      'dckr_pat_[\\w-]{20,}',
      'hvs\\.[\\w-]{24,}',
      'or[kj]_[\\w-]{20,}',
      '\\d{8,10}:AA[\\w-]{33}',
    ),
  },
  { kind: 'access-token', pattern: /(hooks\.slack\.com\/services\/)[\w/]{20,}/g },
  {
    kind: 'named-secret',
    pattern: new RegExp(String.raw`((?:${NAME})\\?["']?\s{0,5}(?:=>|:=|[=:>])\s{0,5}${EMPTY}${OPEN})${VALUE}`, flags),
  },
  {
    kind: 'named-secret',
    pattern: new RegExp(String.raw`(?<![\w-])(--?[\w-]{0,30}(?:${NAME})\s{1,5}${OPEN})${VALUE}`, flags),
  },
  { kind: 'named-secret', pattern: /((?:identified\s{1,3}by|password)\s{1,3}')(?:[^'\\]|\\[^])*/gi },
  {
    kind: 'named-secret',
    pattern: /(?<![A-Za-z0-9])(pass\\?["']?(?:=|\\?["']:|(?<=["']): ?)\s{0,3})(?:\\?["'])?[^\s"',;&<)}\\]+/gi,
  },
  { kind: 'card', pattern: /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d])/g, accepts: isCard },
];

/** Replaced where the settings ask for it. */
export const OPTIONAL_RULES = {
  email: { kind: 'email', pattern: /(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}/g },
  ip: {
    kind: 'ip',
    pattern:
      /(?<![\w.:])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.]*\d)|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])|(?=[0-9a-f:]{0,39}::)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]))/gi,
  },
} satisfies Record<string, Rule>;
