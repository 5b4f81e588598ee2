import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as os from 'node:os';

/** Attributes of a resource, as OpenTelemetry names them. */
export type Inventory = Record<string, string>;

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' };

/** The machine's name for its architecture in OpenTelemetry's words. */
export const architectureOf = (arch: string): string => ARCHITECTURES[arch] ?? arch;

/** A text that tells machines apart without giving their own id away, which other programs may hold secret. */
export function hashedId(id: string): string {
  return createHash('sha256').update(`outrider ${id.trim()}`).digest('hex').slice(0, 32);
}

function machineId(): string | undefined {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim();
      if (/^[0-9a-f]{32}$/.test(id)) return id;
    } catch {
      // Not every machine has one; the next place, or none, is as good.
    }
  }
  return undefined;
}

/** What Node itself tells at once, without starting anything. */
export function readBasics(): Inventory {
  const cpus = os.cpus();
  const id = machineId();
  const model = cpus[0]?.model.trim() ?? '';
  return {
    'host.name': os.hostname(),
    'host.arch': architectureOf(os.arch()),
    'os.type': os.platform() === 'win32' ? 'windows' : os.platform(),
    'os.description': `${os.type()} ${os.release()}`,
    'os.kernel.release': os.release(),
    'host.cpu.logical.count': String(cpus.length),
    'host.memory.size': String(os.totalmem()),
    ...(model === '' ? {} : { 'host.cpu.model.name': model }),
    ...(id === undefined ? {} : { 'host.id': hashedId(id) }),
  };
}
