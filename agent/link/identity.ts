import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { writeFileDurably } from '#sdk';

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

/** Reads the identity; undefined when the agent was not enrolled. */
export function readIdentity(dataFolder: string): Identity | undefined {
  const file = fileOf(dataFolder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Identity) : undefined;
}

/** Keeps an identity: one file, so that key and certificate always belong together. */
export function keepIdentity(dataFolder: string, identity: Identity): void {
  mkdirSync(join(dataFolder, 'identity'), { recursive: true, mode: 0o700 });
  writeFileDurably(fileOf(dataFolder), `${JSON.stringify(identity, null, 2)}\n`);
}

/** True once two thirds of the certificate's life are over. */
export function isDueForRenewal({ certificate }: Identity, nowMs: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return nowMs > from + ((to - from) * 2) / 3;
}
