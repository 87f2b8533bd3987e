// Reproducible randomness: the seed is printed, and EVERWIRE_SEED sets it.

/** Numbers in [0, 1), the same for the same seed. */
export type Random = () => number;

/** Creates a generator (mulberry32) and prints its seed, so that a failing run can be repeated. */
export function random(what: string): Random {
  const seed = Number(process.env.EVERWIRE_SEED ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
  console.log(`${what}: EVERWIRE_SEED=${seed}`);
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer from `low` to `high`, both included. */
export function between(next: Random, low: number, high: number): number {
  return low + Math.floor(next() * (high - low + 1));
}
