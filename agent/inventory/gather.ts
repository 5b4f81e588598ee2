import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import system from 'systeminformation';
import { hashedId, type Inventory } from './basics.ts';
import { cloudOf, DMI_FILES, type Dmi } from './dmi.ts';

/** Reads what the firmware says; files that are missing or forbidden are left out. */
export function readDmi(folder: string): Dmi {
  const found: Record<string, string> = {};
  for (const file of DMI_FILES) {
    try {
      found[file] = readFileSync(join(folder, file), 'utf8').trim();
    } catch {
      // A small virtual machine has no firmware tables.
    }
  }
  return found;
}

/** Words by which firmware says that it has nothing to say. */
const EMPTY = /^(|-|none|default string|to be filled by o\.e\.m\.|system (manufacturer|product name)|not specified)$/i;

/** Attributes without those that say nothing. */
export function told(attributes: Readonly<Record<string, string | number | undefined | null>>): Inventory {
  const found: Inventory = {};
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value ?? '').trim();
    if (!EMPTY.test(text) && text !== 'NaN') found[name] = text;
  }
  return found;
}

/** Name, version and description from the text of /etc/os-release. */
export function parseOsRelease(text: string): Inventory {
  const fields = new Map([...text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm)].map(([, key, , value]) => [key, value]));
  return told({
    'os.name': fields.get('NAME'),
    'os.version': fields.get('VERSION_ID'),
    'os.build_id': fields.get('BUILD_ID'),
    'os.description': fields.get('PRETTY_NAME'),
  });
}

async function readOperatingSystem(): Promise<Inventory> {
  // On Linux the library would also ask the name service for the machine's full name.
  if (platform() === 'linux') return parseOsRelease(readFileSync('/etc/os-release', 'utf8'));
  const { distro, release, codename, build, kernel } = await system.osInfo();
  return told({
    'os.name': distro,
    'os.version': release,
    'os.build_id': build,
    'os.description': [distro, release, codename === '' ? '' : `(${codename})`].filter((part) => part !== '').join(' '),
    'os.kernel.release': kernel,
  });
}

async function readProcessor(): Promise<Inventory> {
  const cpu = await system.cpu();
  return told({
    'host.cpu.model.name': `${cpu.manufacturer} ${cpu.brand}`.trim(),
    'host.cpu.vendor.id': cpu.vendor,
    'host.cpu.family': cpu.family,
    'host.cpu.model.id': cpu.model,
    'host.cpu.stepping': cpu.stepping,
    'host.cpu.logical.count': cpu.cores,
    'host.cpu.physical.count': cpu.physicalCores,
  });
}

async function readHardware(): Promise<Inventory> {
  const { manufacturer, model, virtual, virtualHost } = await system.system();
  return told({
    'host.hardware.vendor': manufacturer,
    'host.hardware.model': model,
    'host.virtualization': virtual ? virtualHost || 'yes' : undefined,
  });
}

async function readIdentity(): Promise<Inventory> {
  const { os } = await system.uuid();
  return os === '' ? {} : { 'host.id': hashedId(os) };
}

/** Everything that the machine tells of itself, from systeminformation and the firmware; what fails is left out. */
export async function gather(dmiFolder = '/sys/class/dmi/id'): Promise<Inventory> {
  const parts = await Promise.allSettled([readIdentity(), readOperatingSystem(), readProcessor(), readHardware()]);
  const found = parts.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
  return Object.assign({}, ...found, cloudOf(readDmi(dmiFolder))) as Inventory;
}
