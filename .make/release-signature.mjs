// SHA256SUMS and its signature: Ed25519, by the key named in OUTRIDER_SIGNING_KEY (a file, PEM), else by one that is made here for trying things out.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { giveUp } from './steps.mjs';

const DEVELOPMENT_KEY = join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'outrider', 'development-signing-key.pem');

function developmentKey() {
  if (!existsSync(DEVELOPMENT_KEY)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    mkdirSync(dirname(DEVELOPMENT_KEY), { recursive: true, mode: 0o700 });
    writeFileSync(DEVELOPMENT_KEY, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  return DEVELOPMENT_KEY;
}

/** The key that signs. `isDevelopment` says that nobody named one. */
export function signingKey() {
  const named = process.env.OUTRIDER_SIGNING_KEY;
  const file = named ?? developmentKey();
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType !== 'ed25519') giveUp(`${file} holds no Ed25519 key: openssl genpkey -algorithm ed25519 -out FILE makes one.`);
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
    return { key, publicKey, isDevelopment: named === undefined };
  } catch (error) {
    return giveUp(`The signing key ${file} cannot be read: ${error.message}`);
  }
}

/** The SHA-256 of a file, lower-case hex. */
export const digestOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Writes SHA256SUMS for these files of a folder, in the order of their names, and signs it. */
export function writeSums(folder, names, { key, publicKey, isDevelopment }) {
  const lines = [...names].sort().map((name) => `${digestOf(join(folder, name))}  ${name}\n`);
  const note = isDevelopment ? '# Signed by a development key, which proves nothing to anybody else.\n' : '';
  const sums = Buffer.from(note + lines.join(''));
  writeFileSync(join(folder, 'SHA256SUMS'), sums);
  writeFileSync(join(folder, 'SHA256SUMS.sig'), sign(null, sums, key));
  writeFileSync(join(folder, 'SHA256SUMS.pem'), publicKey);
}
