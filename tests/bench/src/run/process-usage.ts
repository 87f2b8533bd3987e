// What a process has used, as Linux counts it: CPU time in ticks of 10 ms, and memory that is in RAM.

import { readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;

/** Seconds of CPU, in the program itself and in the kernel on its behalf. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

export function cpuTime(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (field: number) => Number(fields[field]) / TICKS_PER_SECOND;
  return { user: seconds(11), system: seconds(12) };
}

export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system };
}

/** Resident memory, in bytes. */
export const residentBytes = (pid: number): number => statusBytes(pid, "VmRSS");

/** The most resident memory that the process has had, in bytes. */
export const peakResidentBytes = (pid: number): number => statusBytes(pid, "VmHWM");

function statusBytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(
    readFileSync(`/proc/${pid}/status`, "utf8"),
  )?.[1];
  if (kib === undefined) throw new Error(`process ${pid} says nothing about its memory`);
  return Number(kib) * 1024;
}
