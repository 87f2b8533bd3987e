// The real server as a process: a free port, a database in a temporary directory, and stopped after the test in any
// case. It can be killed and started again with the same port and database.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import type { SmallDisk } from "./small-disk";

const root = resolve(import.meta.dirname, "../..");

/** The server's executable: set by `cargo xtask test`, otherwise cargo's default path. */
export const SERVER = process.env.EVERWIRE_SERVER ?? join(root, "target/debug/everwire-server");

/** The built demo. */
export const DEMO = join(root, "demo-web/dist");

/** The built test pages, created by harness/global.ts. */
export const PAGES = join(root, "tests/output/pages");

export interface ServerOptions {
  /** The directory to serve; the demo by default. */
  serveDir?: string;
  /** Signs tokens. With it the server is not in development mode. */
  secret?: string;
  /** Additional flags. */
  args?: readonly string[];
  /** Additional environment variables. */
  env?: Readonly<Record<string, string>>;
  /** Whether the kernel's limit for the length of files can stand for a full disk (Linux). */
  limited?: boolean;
  /** A file system of its own for the database. */
  disk?: SmallDisk;
}

// Below the ephemeral port range, so that nobody takes the port while the server is down.
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** How many lines of the server's log are printed when a test fails. */
const LINES = 30;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A server for one test. */
export class Server {
  readonly port: number;
  readonly url: string;
  readonly database: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #log: string[] = [];

  private constructor(port: number, directory: string, options: ServerOptions) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.database = join(options.disk?.directory ?? directory, "everwire.db");
    this.#options = options;
  }

  /** Starts a server, which ends with the test. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    if (!existsSync(SERVER)) {
      throw new Error(
        `There is no server at ${SERVER}. Build it with \`cargo build -p everwire-server\`, or set EVERWIRE_SERVER to its path.`,
      );
    }
    const directory = mkdtempSync(join(tmpdir(), "everwire-test-"));
    let server: Server | undefined;
    onTestFinished(async () => {
      await server?.kill();
      rmSync(directory, { recursive: true, force: true });
    });
    onTestFinished(({ task }) => {
      if (server && task.result?.state === "fail")
        console.error(`The server's log ended with:\n${server.#log.slice(-LINES).join("\n")}`);
    });
    for (let tries = 0; ; tries++) {
      server = new Server(FIRST_PORT + Math.floor(Math.random() * PORTS), directory, options);
      try {
        await server.start();
        return server;
      } catch (error) {
        // The port is in use.
        if (tries === 5) throw error;
      }
    }
  }

  /** The last lines of its log. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Starts it (again), and waits until it listens. */
  async start(): Promise<void> {
    const { secret, serveDir = DEMO, args = [], env = {}, limited, disk } = this.#options;
    // A write beyond the limit fails only if the signal that comes with it is ignored, which a process inherits.
    const through = limited ? ["sh", "-c", `trap "" XFSZ; exec "$0" "$@"`] : (disk?.enter ?? []);
    const [program = SERVER, ...before] = [...through, SERVER];
    const child = spawn(
      program,
      [
        before,
        ["--listen", `127.0.0.1:${this.port}`],
        ["--database", this.database],
        ["--serve-dir", serveDir],
        // Tests send as fast as they can, unless they test the limits.
        args.includes("--sends-per-minute") ? [] : ["--sends-per-minute", "0"],
        secret === undefined ? ["--dev"] : [],
        args,
      ].flat(),
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          EVERWIRE_LOG: "info",
          ...(secret !== undefined && { EVERWIRE_JWT_SECRET: secret }),
          ...env,
        },
      },
    );
    this.#child = child;
    running.add(child);
    // A line may come in several pieces.
    let begun = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (begun + text).split("\n");
      begun = lines.pop() ?? "";
      this.#log.push(...lines);
      this.#log = this.#log.slice(-500);
    });
    await new Promise<void>((listening, failed) => {
      child.once("error", failed);
      // Not at its exit: what it has said last may still be on its way.
      child.once("close", (code, signal) => {
        running.delete(child);
        failed(new Error(`The server ended with ${code ?? signal}:\n${this.#log.slice(-LINES).join("\n")}`));
      });
      let text = "";
      child.stdout?.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        if (text.includes("listening on")) listening();
      });
    });
  }

  /** SIGKILL: it ends at once, without closing connections. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM: it says goodbye to its clients, and ends. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** From now on it can write no file beyond the first byte, so no log can grow. */
  fillDisk(): void {
    this.#limitFiles("1");
  }

  freeDisk(): void {
    this.#limitFiles("unlimited");
  }

  #limitFiles(bytes: string): void {
    execFileSync("prlimit", ["--pid", String(this.#child?.pid), `--fsize=${bytes}:`]);
  }

  /** Removes the data. Only while it is stopped. */
  forget(): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.database + suffix, { force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await exit;
  }
}
