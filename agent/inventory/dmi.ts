/** What the firmware says of the machine, by file name of /sys/class/dmi/id. */
export type Dmi = Readonly<Partial<Record<(typeof DMI_FILES)[number], string>>>;

/** The files of /sys/class/dmi/id that tell who runs a machine and that everybody may read. */
export const DMI_FILES = [
  'sys_vendor',
  'product_name',
  'product_version',
  'bios_vendor',
  'bios_version',
  'chassis_asset_tag',
] as const;

/** The firmware's own word for each provider, as their documentation gives it. */
const PROVIDERS: readonly { provider: string; file: (typeof DMI_FILES)[number]; says: RegExp }[] = [
  { provider: 'aws', file: 'sys_vendor', says: /^amazon ec2$/i },
  { provider: 'aws', file: 'bios_vendor', says: /^amazon ec2$/i },
  { provider: 'aws', file: 'bios_version', says: /amazon/i },
  { provider: 'gcp', file: 'product_name', says: /^google compute engine$/i },
  { provider: 'azure', file: 'chassis_asset_tag', says: /^7783-7084-3265-9085-8269-3286-77$/ },
  { provider: 'oracle_cloud', file: 'chassis_asset_tag', says: /^oraclecloud\.com$/i },
  { provider: 'ibm_cloud', file: 'chassis_asset_tag', says: /^ibmcloud/i },
  { provider: 'alibaba_cloud', file: 'sys_vendor', says: /^alibaba cloud$/i },
  { provider: 'tencent_cloud', file: 'sys_vendor', says: /^tencent cloud$/i },
  { provider: 'digitalocean', file: 'sys_vendor', says: /^digitalocean$/i },
  { provider: 'hetzner', file: 'sys_vendor', says: /^hetzner$/i },
  { provider: 'vultr', file: 'sys_vendor', says: /^vultr$/i },
  { provider: 'scaleway', file: 'sys_vendor', says: /^scaleway$/i },
  { provider: 'openstack', file: 'product_name', says: /^openstack (nova|compute)$/i },
];

/** Which cloud the machine belongs to, and its instance type where the firmware tells it. */
export function cloudOf(dmi: Dmi): Record<string, string> {
  const provider = PROVIDERS.find(({ file, says }) => says.test(dmi[file] ?? ''))?.provider;
  if (provider === undefined) return {};
  const type = dmi.product_name ?? '';
  const isInstanceType = provider === 'aws' && /^[a-z0-9-]+\.[a-z0-9-]+$/.test(type);
  return { 'cloud.provider': provider, ...(isInstanceType ? { 'host.type': type } : {}) };
}
