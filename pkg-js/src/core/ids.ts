// UUIDs of version 7 (RFC 9562): 48 bits of clock in ms, then 12 bits that count within one ms, then 62 random bits. Ids
// from one page therefore sort in the order of their creation, even if the clock stops or is set back.

let lastMs = 0;
let count = 0;

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

/** Creates an id. */
export function uuid7(): string {
  const [random = 0, ...bytes] = crypto.getRandomValues(new Uint8Array(10));
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // Half of the range stays free, so that at least 2048 ids fit into any ms.
    count = ((bytes[7] ?? 0) << 3) | (random & 7);
  } else if (++count > 0xfff) {
    lastMs++;
    count = 0;
  }
  const end =
    hex(0x80 | (random >> 2), 2) +
    bytes
      .slice(0, 7)
      .map((byte) => hex(byte, 2))
      .join("");
  return `${hex(lastMs, 12)}7${hex(count, 3)}${end}`.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
