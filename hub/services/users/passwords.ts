import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { problems } from './errors.ts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const SHORTEST = 12;

/** Refuses passwords that are short, or little more than one of the person's own names. */
export function checkPassword(password: string, names: readonly string[]): void {
  if ([...password].length < SHORTEST) throw problems.weakPassword(`Use at least ${SHORTEST} characters.`);
  if (new Set(password).size < 5) throw problems.weakPassword('Use more than four different characters.');
  const plain = password.toLowerCase();
  const own = names.filter((name) => name.length >= 4 && plain.includes(name.toLowerCase()));
  if (own.some((name) => plain.length - name.length < 6))
    throw problems.weakPassword('Use something other than your name or e-mail address.');
}

/** One form for what different keyboards type for the same characters. */
const typed = (password: string): string => password.normalize('NFKC');

/** Hashes a password with argon2id. */
export function hashPassword(password: string): Promise<string> {
  return hash(typed(password), COST);
}

let decoy: Promise<string> | undefined;

/** True when the password fits. For an unknown user (`stored` undefined) it does the same work and answers false. */
export async function fitsPassword(stored: string | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword(generatePassword());
  const fits = await verify(stored ?? (await decoy), typed(password));
  return fits && stored !== undefined;
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** A password for a person to type once: four groups of five letters and digits that nobody confuses, 100 bits. */
export function generatePassword(): string {
  const group = (): string => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}
