import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, writeFileDurably } from '#sdk';
import { problems } from '../errors.ts';

/** What an agent got at its enrolment. Keys and certificates are PEM. */
export interface Identity {
  agentId: string;
  /** `host:port` of the hub's agents' listener. */
  link: string;
  key: string;
  /** Chain: the agent's own first. */
  certificate: string;
  ca: string;
}

const fileOf = (dataFolder: string): string => join(dataFolder, 'identity', 'agent.json');

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw problems.notReadable(
      `${file} cannot be read (${reasonOf(error)}). Run this as the user of the agent, or as root.`,
      { cause: error },
    );
  }
}

/** Reads the identity; undefined when the agent was not enrolled. Throws a Problem when it is damaged. */
export function readIdentity(dataFolder: string): Identity | undefined {
  const file = fileOf(dataFolder);
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    const identity = JSON.parse(text) as Identity;
    if ([identity.agentId, identity.link, identity.ca].some((text) => typeof text !== 'string'))
      throw new Error('it lacks what an identity needs');
    createPrivateKey(identity.key);
    new X509Certificate(identity.certificate);
    return identity;
  } catch (error) {
    throw problems.damagedIdentity(
      `${file} cannot be used (${reasonOf(error)}). Get a new join token and run: outrider-agent enroll --force --data ${dataFolder}`,
      { cause: error },
    );
  }
}

/** When the certificate ends, milliseconds since 1970. */
export function certificateEndMs({ certificate }: Identity): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}

/** Keeps an identity: one file, so that key and certificate always belong together. */
export function keepIdentity(dataFolder: string, identity: Identity): void {
  mkdirSync(join(dataFolder, 'identity'), { recursive: true, mode: 0o700 });
  writeFileDurably(fileOf(dataFolder), `${JSON.stringify(identity, null, 2)}\n`);
}
