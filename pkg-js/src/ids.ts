// UUIDs of version 7 (RFC 9562): 48 bits of clock in ms, then 12 bits that count within one ms, then 62 random bits. Ids
// from one page therefore sort in the order in which they were minted, also when the clock stands still or steps back.

let lastMs = 0;
let count = 0;

/** Mints an id. */
export function uuid7(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // Half of the range stays free, so that at least 2048 ids fit into any ms.
    count = (((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)) & 0x7ff;
  } else if (++count > 0xfff) {
    lastMs++;
    count = 0;
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, lastMs / 0x10000);
  view.setUint16(4, lastMs % 0x10000);
  view.setUint16(6, 0x7000 | count);
  view.setUint8(8, 0x80 | ((bytes[8] ?? 0) & 0x3f));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
