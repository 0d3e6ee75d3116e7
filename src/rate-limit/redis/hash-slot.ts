/** hashSlot is the slot of a Redis Cluster that a key with this hash tag lies in: CRC-16/XMODEM modulo 16,384. */
export function hashSlot(tag: string): number {
  let crc = 0;
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    }
    crc &= 0xffff;
  }
  return crc & 16_383;
}
