import { expect, test } from 'vitest';
import { cloudOf, type Dmi } from './dmi.ts';

test.each<[string, Dmi, Record<string, string>]>([
  ['aws', { sys_vendor: 'Amazon EC2', product_name: 'm5.large' }, { 'cloud.provider': 'aws', 'host.type': 'm5.large' }],
  ['aws', { sys_vendor: 'Xen', bios_version: '4.11.amazon', product_name: 'HVM domU' }, { 'cloud.provider': 'aws' }],
  ['gcp', { sys_vendor: 'Google', product_name: 'Google Compute Engine' }, { 'cloud.provider': 'gcp' }],
  [
    'azure',
    { sys_vendor: 'Microsoft Corporation', chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77' },
    { 'cloud.provider': 'azure' },
  ],
  ['hetzner', { sys_vendor: 'Hetzner', product_name: 'vServer' }, { 'cloud.provider': 'hetzner' }],
])('firmware of %s is recognised: %j', (_provider, dmi, expected) => {
  expect(cloudOf(dmi)).toEqual(expected);
});

test('a machine of one own, also on the same hypervisor, is no cloud', () => {
  expect(cloudOf({})).toEqual({});
  expect(cloudOf({ sys_vendor: 'Microsoft Corporation', product_name: 'Virtual Machine' })).toEqual({});
  expect(cloudOf({ sys_vendor: 'QEMU', product_name: 'Standard PC (Q35 + ICH9, 2009)' })).toEqual({});
});
