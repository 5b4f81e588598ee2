import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** What a disk counts and keeps for life, under one name for every kind of disk. */
export interface DiskReport {
  model: string | undefined;
  serial: string | undefined;
  /** The disk's own verdict; `undefined` when it gives none. */
  passed: boolean | undefined;
  celsius: number | undefined;
  powerOnHours: number | undefined;
  /** Shares from 0 to 1. */
  enduranceLeft: number | undefined;
  spareLeft: number | undefined;
  /** Raw values by name. */
  attributes: Readonly<Record<string, number>>;
  /** Errors by type. */
  errors: Readonly<Record<string, number>>;
}

const Maybe = <S extends TSchema>(schema: S) => Type.Optional(schema);
const Count = Maybe(Type.Number({ minimum: 0 }));
const Uncorrected = Maybe(Type.Object({ total_uncorrected_errors: Count }));

const Attribute = Type.Object({
  id: Type.Integer(),
  value: Count,
  raw: Maybe(Type.Object({ value: Count })),
});

/** The parts of smartctl's JSON that are read; all of them may be missing. */
const Report = Type.Object({
  smartctl: Maybe(
    Type.Object({
      exit_status: Maybe(Type.Integer()),
      messages: Maybe(Type.Array(Type.Object({ string: Type.String(), severity: Maybe(Type.String()) }))),
    }),
  ),
  device: Maybe(Type.Object({ name: Type.String() })),
  model_name: Maybe(Type.String()),
  scsi_model_name: Maybe(Type.String()),
  serial_number: Maybe(Type.String()),
  smart_status: Maybe(Type.Object({ passed: Type.Boolean() })),
  temperature: Maybe(Type.Object({ current: Maybe(Type.Number()) })),
  power_on_time: Maybe(Type.Object({ hours: Count })),
  ata_smart_attributes: Maybe(Type.Object({ table: Maybe(Type.Array(Attribute)) })),
  nvme_smart_health_information_log: Maybe(
    Type.Object({
      critical_warning: Count,
      available_spare: Count,
      percentage_used: Count,
      unsafe_shutdowns: Count,
      media_errors: Count,
    }),
  ),
  scsi_grown_defect_list: Count,
  scsi_percentage_used_endurance_indicator: Count,
  scsi_error_counter_log: Maybe(Type.Object({ read: Uncorrected, write: Uncorrected, verify: Uncorrected })),
});

type Report = Static<typeof Report>;

/** Attributes of ATA disks that mean the same with every maker, by number. */
const ATTRIBUTES: Readonly<Record<number, string>> = {
  5: 'reallocated_sectors',
  10: 'spin_retries',
  184: 'end_to_end_errors',
  187: 'reported_uncorrected',
  188: 'command_timeouts',
  196: 'reallocation_events',
  197: 'pending_sectors',
  198: 'offline_uncorrectable',
  199: 'interface_crc_errors',
};

/** Attributes whose normalized value is the share of life that is left, the first that a disk has counts. */
const WEAR_ATTRIBUTES = [231, 233, 202, 177, 173, 169];

const share = (percent: number | undefined): number | undefined =>
  percent === undefined ? undefined : Math.max(0, Math.min(1, percent / 100));

const left = (usedPercent: number | undefined): number | undefined =>
  usedPercent === undefined ? undefined : share(100 - usedPercent);

const told = (counts: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined));

/** What tells of all disks, whatever they are attached by. */
function readCommon(report: Report): Omit<DiskReport, 'enduranceLeft' | 'spareLeft' | 'attributes' | 'errors'> {
  return {
    model: report.model_name ?? report.scsi_model_name,
    serial: report.serial_number,
    passed: report.smart_status?.passed,
    celsius: report.temperature?.current,
    powerOnHours: report.power_on_time?.hours,
  };
}

function readAta(report: Report): Pick<DiskReport, 'attributes' | 'enduranceLeft' | 'errors'> {
  const table = report.ata_smart_attributes?.table ?? [];
  const raw = Object.entries(ATTRIBUTES).map(([id, name]): [string, number | undefined] => {
    // Timeouts and some makers' counts hold three numbers of 16 bits; the lowest one is the count.
    const value = table.find((one) => one.id === Number(id))?.raw?.value;
    return [name, value !== undefined && value > 0xffff_ffff ? value % 0x1_0000 : value];
  });
  const attributes = told(Object.fromEntries(raw));
  const wear = WEAR_ATTRIBUTES.map((id) => table.find((one) => one.id === id)?.value).find((one) => one !== undefined);
  const { reported_uncorrected: media, interface_crc_errors: transfer } = attributes;
  return { attributes, enduranceLeft: share(wear), errors: told({ media, interface_crc: transfer }) };
}

function readScsi(report: Report): Pick<DiskReport, 'attributes' | 'errors'> {
  const { read, write, verify } = report.scsi_error_counter_log ?? {};
  const counts = [read, write, verify].flatMap((log) => log?.total_uncorrected_errors ?? []);
  const media = counts.length === 0 ? undefined : counts.reduce((sum, one) => sum + one, 0);
  return { attributes: told({ grown_defects: report.scsi_grown_defect_list }), errors: told({ media }) };
}

/** Bits of smartctl's exit status that say that it read nothing: the command line, the device. */
const READ_NOTHING = 0b0000_0011;

/**
 * Reads what `smartctl --json --all` says of a disk. A disk that sleeps, and was left to, is `asleep`. Throws when the
 * text is not that, or with smartctl's own words when it was refused.
 */
export function parseReport(text: string): DiskReport | 'asleep' {
  const report = parse(text);
  const { exit_status: status = 0, messages = [] } = report.smartctl ?? {};
  if (messages.some(({ string }) => /\b(STANDBY|SLEEP|IDLE_[ABC])\b/.test(string))) return 'asleep';
  if ((status & READ_NOTHING) !== 0)
    throw new Error(messages.find(({ severity }) => severity === 'error')?.string ?? `smartctl ended with ${status}`);
  const ata = readAta(report);
  const scsi = readScsi(report);
  const nvme = report.nvme_smart_health_information_log;
  const nvmeAttributes = told({ critical_warning: nvme?.critical_warning, unsafe_shutdowns: nvme?.unsafe_shutdowns });
  const used = nvme?.percentage_used ?? report.scsi_percentage_used_endurance_indicator;
  return {
    ...readCommon(report),
    enduranceLeft: left(used) ?? ata.enduranceLeft,
    spareLeft: share(nvme?.available_spare),
    attributes: { ...ata.attributes, ...nvmeAttributes, ...scsi.attributes },
    errors: { ...ata.errors, ...told({ media: nvme?.media_errors }), ...scsi.errors },
  };
}

function parse(text: string): Report {
  const found: unknown = JSON.parse(text);
  if (!Value.Check(Report, found)) throw new Error('smartctl printed something else than its JSON report');
  return found;
}

/** A disk as smartctl names it. */
export interface Device {
  name: string;
  type: string;
}

const Scan = Type.Object({
  devices: Maybe(Type.Array(Type.Object({ name: Type.String(), type: Type.String() }))),
});

/** Reads what `smartctl --json --scan` found. */
export function parseScan(text: string): Device[] {
  const found: unknown = JSON.parse(text);
  if (!Value.Check(Scan, found)) throw new Error('smartctl printed something else than its list of devices');
  return (found.devices ?? []).map(({ name, type }) => ({ name, type }));
}
