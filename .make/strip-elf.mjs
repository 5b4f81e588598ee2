// Takes the symbols and debug tables out of a 64-bit ELF program of any architecture: nothing that is loaded changes, and no tool of that architecture is needed.
const HEADER = { sectionOffset: 0x28, sectionSize: 0x3a, sectionCount: 0x3c, namesIndex: 0x3e };
const SECTION = 64;
const ALLOCATED = 2;
const NO_BITS = 8;
const STRINGS = 3;

function sectionsOf(bytes) {
  const at = Number(bytes.readBigUInt64LE(HEADER.sectionOffset));
  return Array.from({ length: bytes.readUInt16LE(HEADER.sectionCount) }, (_none, index) => {
    const row = bytes.subarray(at + index * SECTION, at + (index + 1) * SECTION);
    return {
      row,
      nameAt: row.readUInt32LE(0),
      type: row.readUInt32LE(4),
      isLoaded: (Number(row.readBigUInt64LE(8)) & ALLOCATED) !== 0,
      offset: Number(row.readBigUInt64LE(24)),
      size: Number(row.readBigUInt64LE(32)),
      link: row.readUInt32LE(40),
    };
  });
}

/** The program without what is not loaded. Throws when something loaded would have to move. */
export function stripElf(bytes) {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1 || bytes.readUInt16LE(HEADER.sectionSize) !== SECTION)
    throw new Error('this is no 64-bit little-endian ELF program');
  const all = sectionsOf(bytes);
  const names = all[bytes.readUInt16LE(HEADER.namesIndex)];
  const kept = all.filter((section, index) => index === 0 || section.isLoaded);
  const end = Math.max(...kept.map(({ type, offset, size }) => (type === NO_BITS ? 0 : offset + size)));
  const numberOf = (index) => Math.max(0, kept.indexOf(all[index]));
  const rows = kept.map(({ row, link }) => {
    const copy = Buffer.from(row);
    copy.writeUInt32LE(numberOf(link), 40);
    return copy;
  });
  const texts = bytes.subarray(names.offset, names.offset + names.size);
  const ownName = Buffer.alloc(SECTION);
  ownName.writeUInt32LE(names.nameAt, 0);
  ownName.writeUInt32LE(STRINGS, 4);
  ownName.writeBigUInt64LE(BigInt(end), 24);
  ownName.writeBigUInt64LE(BigInt(texts.length), 32);
  ownName.writeBigUInt64LE(1n, 48);
  const padding = Buffer.alloc((8 - ((end + texts.length) % 8)) % 8);
  const stripped = Buffer.concat([bytes.subarray(0, end), texts, padding, ...rows, ownName]);
  stripped.writeBigUInt64LE(BigInt(end + texts.length + padding.length), HEADER.sectionOffset);
  stripped.writeUInt16LE(rows.length + 1, HEADER.sectionCount);
  stripped.writeUInt16LE(rows.length, HEADER.namesIndex);
  return stripped;
}
