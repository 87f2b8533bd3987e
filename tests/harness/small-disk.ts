// A real file system of a few MiB: a tmpfs in a mount namespace of its own, which ends with the test. Programs that are to see it
// are started through `enter`; everybody else sees an empty directory. Root may make such a namespace, and so may other
// users where the system permits namespaces of users.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findProgram } from "./programs";

/** How to make a namespace, and how to enter it. */
interface Way {
  readonly make: readonly string[];
  readonly enter: readonly string[];
}

const WAYS: readonly Way[] = [
  { make: ["--mount"], enter: ["--mount"] },
  {
    make: ["--user", "--map-root-user", "--mount"],
    enter: ["--user", "--preserve-credentials", "--mount"],
  },
];

/** Mounts the file system, says so, and keeps the namespace until its input ends, as it does when the test's process ends. */
const HOLD = `mount -t tmpfs -o "size=$2" tmpfs "$1" && echo mounted && exec cat`;

const PROGRAMS = ["unshare", "nsenter", "mount"];

/** The first way that works here, or what is missing. */
function findWay(): Way | string {
  if (process.platform !== "linux") return "they need the namespaces of Linux";
  const missing = PROGRAMS.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) return `${missing.join(" and ")} (package util-linux) not found`;
  const refusals: string[] = [];
  const directory = mkdtempSync(join(tmpdir(), "everwire-disk-"));
  try {
    for (const way of WAYS) {
      const words = [...way.make, "sh", "-c", HOLD, "sh", directory, "1m"];
      const { status, stderr } = spawnSync(findProgram("unshare") ?? "unshare", words, {
        input: "",
        encoding: "utf8",
      });
      if (status === 0) return way;
      refusals.push(`\`unshare ${way.make.join(" ")}\` with a tmpfs: ${stderr.trim()}`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return `no mount namespace can be made here; ${refusals.join("; ")}`;
}

const found = findWay();
if (typeof found === "string") console.warn(`tests with a small file system are left out: ${found}`);

/** Whether small file systems can be made here. If not, the log says what is missing. */
export const SMALL_DISKS = typeof found !== "string";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class SmallDisk {
  /** Where it is mounted, for programs that were started through `enter`. */
  readonly directory: string;
  /** The command that starts a program which sees it; the program keeps the process's id. */
  readonly enter: readonly string[];
  /** Its directory, for everybody else. */
  readonly #outside: string;
  readonly #filler: string;

  private constructor(directory: string, holder: ChildProcess, way: Way) {
    this.directory = directory;
    this.enter = [findProgram("nsenter") ?? "nsenter", ...way.enter, "--target", String(holder.pid)];
    this.#outside = `/proc/${holder.pid}/root${directory}`;
    this.#filler = join(this.#outside, "filler");
  }

  static async make(size: string): Promise<SmallDisk> {
    if (typeof found === "string") throw new Error(found);
    const directory = mkdtempSync(join(tmpdir(), "everwire-disk-"));
    const words = [...found.make, "sh", "-c", HOLD, "sh", directory, size];
    const holder = spawn(findProgram("unshare") ?? "unshare", words, { stdio: ["pipe", "pipe", "pipe"] });
    running.add(holder);
    onTestFinished(async () => {
      const exit = new Promise((done) => holder.once("exit", done));
      if (holder.exitCode === null && holder.signalCode === null) {
        holder.kill("SIGKILL");
        await exit;
      }
      running.delete(holder);
      rmSync(directory, { recursive: true, force: true });
    });
    let errors = "";
    holder.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    await new Promise<void>((mounted, failed) => {
      holder.once("error", failed);
      holder.once("exit", () => failed(new Error(`no small file system: ${errors}`)));
      holder.stdout.once("data", () => mounted());
    });
    return new SmallDisk(directory, holder, found);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#outside);
    return bavail * bsize;
  }

  /** Removes a file of a program that has ended. */
  remove(name: string): void {
    rmSync(join(this.#outside, name));
  }

  /** Writes a file until there is no space. Call it again where something may have been freed meanwhile. */
  fill(): void {
    const file = openSync(this.#filler, "a");
    try {
      // By pages, so that nothing is left.
      for (const page = Buffer.alloc(4096); ; ) writeSync(file, page);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Removes that file. */
  free(): void {
    rmSync(this.#filler);
  }

  /** Gives the file system another size. */
  resize(size: string): void {
    const [program = "", ...words] = this.enter;
    execFileSync(program, [...words, "mount", "-o", `remount,size=${size}`, this.directory]);
  }
}
