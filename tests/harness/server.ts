// The real server as a process of its own: a free port, a database in a directory of its own, and gone when the test is
// over, however it ended. It can be killed and started again on the same port and database.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Where the server's program is: `cargo xtask test` says so, and cargo puts it there by default. */
export const SERVER = process.env.EVERWIRE_SERVER ?? join(root, "target/debug/everwire-server");

/** The built demo. */
export const DEMO = join(root, "demo-web/dist");

/** The built pages of these tests: harness/global.ts makes them. */
export const PAGES = join(root, "tests/output/pages");

export interface ServerOptions {
  /** What to serve: the demo, if nothing else is said. */
  serveDir?: string;
  /** Signs tokens. With it the server is not in development mode. */
  secret?: string;
  /** More flags. */
  args?: readonly string[];
  /** More of its environment. */
  env?: Readonly<Record<string, string>>;
  /** Whether its disk can be full (Linux). */
  limited?: boolean;
}

// Below the range from which systems give out ports by themselves: while a server is down, nobody takes its port by chance.
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** How many lines of the server's log are shown when a test fails. */
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
    this.database = join(directory, "everwire.db");
    this.#options = options;
  }

  /** Starts one, and sees to its end. */
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
        // Somebody else has this port.
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
    const { secret, serveDir = DEMO, args = [], env = {}, limited } = this.#options;
    // A write beyond a limit is refused only to those who ignore the signal that comes with it, and a program inherits
    // what is ignored.
    const [program, ...before] = limited ? ["sh", "-c", `trap "" XFSZ; exec "$0" "$@"`, SERVER] : [SERVER];
    const child = spawn(
      program,
      [
        before,
        ["--listen", `127.0.0.1:${this.port}`],
        ["--database", this.database],
        ["--serve-dir", serveDir],
        // Tests send as fast as they can; those about limits say so.
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
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log.push(...text.trimEnd().split("\n"));
      this.#log = this.#log.slice(-500);
    });
    await new Promise<void>((listening, failed) => {
      child.once("error", failed);
      child.once("exit", (code, signal) => {
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

  /** SIGKILL: it ends at once, without a word to anybody. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM: it says good-bye to its clients, and ends. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** From now on it can write no file beyond the first byte: no log grows any more. */
  fillDisk(): void {
    this.#limitFiles("1");
  }

  freeDisk(): void {
    this.#limitFiles("unlimited");
  }

  #limitFiles(bytes: string): void {
    execFileSync("prlimit", ["--pid", String(this.#child?.pid), `--fsize=${bytes}:`]);
  }

  /** Removes the data. Only while it does not run. */
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
