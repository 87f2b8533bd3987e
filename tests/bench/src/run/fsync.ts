// What the disk itself takes to store something.

import { open, rm } from "node:fs/promises";
import { join } from "node:path";

/** About what a transaction with one message appends to a write-ahead log: a page and its header. */
const BYTES = 4_120;

/** Appends to a file in this directory and waits for the disk each time, as a database does. Returns the times in ms. */
export async function fsyncTimes(directory: string, count: number): Promise<number[]> {
  const path = join(directory, "fsync");
  const file = await open(path, "w");
  try {
    // A log is written over and over: its blocks exist already.
    await file.write(Buffer.alloc(BYTES * count));
    await file.sync();
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const began = performance.now();
      await file.write(Buffer.alloc(BYTES, n), 0, BYTES, n * BYTES);
      await file.datasync();
      times.push(performance.now() - began);
    }
    return times;
  } finally {
    await file.close();
    await rm(path);
  }
}
