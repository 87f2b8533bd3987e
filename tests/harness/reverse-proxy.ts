// nginx and HAProxy as processes, in front of real servers: with the configurations that docs/operations.md prints, or
// with such as hostile administrators write. They listen on free ports, and end with the test.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { blocksOf, withReplaced } from "./documents";
import { findProgram } from "./programs";
import { until } from "./until";

export type Kind = "nginx" | "haproxy";

/** Those that are installed, with what makes their certificates. `cargo xtask test` installs them where it can. */
export const KINDS = (["nginx", "haproxy"] as const).filter((kind) => {
  const missing = [kind, "openssl"].filter((program) => findProgram(program) === undefined);
  for (const program of missing) console.warn(`${program} is not installed: tests with ${kind} are left out`);
  return missing.length === 0;
});

/** The addresses and files for a configuration. */
export interface Place {
  /** Addresses and ports for HTTP and HTTPS. */
  readonly http: string;
  readonly https: string;
  /** A self-signed certificate, its key, and both in one file. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** What a proxy is configured with, at this place. */
export type Configuration = (place: Place) => string;

/** The printed block of a kind, for one server or for several. */
function printedBlock(kind: Kind, servers: "one" | "several"): string {
  const blocks = blocksOf("docs/operations.md").filter(({ language }) => language === kind);
  const block = blocks.find(({ text }) => text.includes(":8788") === (servers === "several"));
  if (!block) throw new Error(`docs/operations.md has no configuration of ${kind} for ${servers}`);
  return block.text;
}

/** What the test uses instead of the printed addresses and files. */
const replacements = (kind: Kind, { http, https, certificate, key, both }: Place) =>
  kind === "nginx"
    ? {
        "listen 80;": `listen ${http};`,
        "listen 443 ssl;": `listen ${https} ssl;`,
        "/etc/ssl/certs/chat.example.pem": certificate,
        "/etc/ssl/private/chat.example.key": key,
      }
    : {
        "bind :80\n": `bind ${http}\n`,
        "bind :443": `bind ${https}`,
        "/etc/haproxy/chat.example.pem": both,
      };

/** The printed configuration in front of the server at this port. */
export function printed(kind: Kind, port: number): Configuration {
  const block = printedBlock(kind, "one");
  const server = { "127.0.0.1:8787": `127.0.0.1:${port}` };
  return (place) => withReplaced(block, { ...server, ...replacements(kind, place) });
}

/** The printed configuration in front of two servers. */
export function printedForTwo(kind: Kind, [first, second]: readonly [number, number]): Configuration {
  const one = printedBlock(kind, "one");
  const several = printedBlock(kind, "several");
  const whole =
    kind === "nginx"
      ? several + withReplaced(one, { "proxy_pass http://127.0.0.1:8787;": "proxy_pass http://everwire;" })
      : one.slice(0, one.indexOf("\nbackend everwire") + 1) + several;
  const servers = { "127.0.0.1:8787": `127.0.0.1:${first}`, "127.0.0.1:8788": `127.0.0.1:${second}` };
  return (place) => withReplaced(whole, { ...servers, ...replacements(kind, place) });
}

/** The same without what keeps a user on one server: each request goes to the next one. */
export function roundRobin(kind: Kind, ports: readonly [number, number]): Configuration {
  const sticky = printedForTwo(kind, ports);
  const without =
    kind === "nginx"
      ? { "    hash $remote_addr consistent;\n": "" }
      : { "balance source": "balance roundrobin", "    hash-type consistent\n": "" };
  return (place) => withReplaced(sticky(place), without);
}

/** Around the blocks that are for nginx's `http` context. */
const NGINX = (block: string) => `
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
${block}
}
`;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class ReverseProxy {
  readonly url: string;
  readonly secureUrl: string;
  readonly #kind: Kind;
  readonly #directory: string;
  readonly #place: Place;
  #configuration: Configuration;
  #child: ChildProcess | undefined;

  private constructor(kind: Kind, directory: string, place: Place, configuration: Configuration) {
    this.#kind = kind;
    this.#directory = directory;
    this.#place = place;
    this.#configuration = configuration;
    this.url = `http://${place.http}`;
    this.secureUrl = `https://${place.https}`;
  }

  static async start(kind: Kind, configuration: Configuration): Promise<ReverseProxy> {
    const directory = mkdtempSync(join(tmpdir(), `everwire-${kind}-`));
    const [http, https] = await freeAddresses(2);
    const place = { http: http ?? "", https: https ?? "", ...certify(directory) };
    const proxy = new ReverseProxy(kind, directory, place, configuration);
    onTestFinished(async () => {
      await proxy.stop();
      rmSync(directory, { recursive: true, force: true });
    });
    await proxy.start();
    return proxy;
  }

  async start(): Promise<void> {
    const text = this.#configuration(this.#place);
    const file = join(this.#directory, "proxy.conf");
    writeFileSync(file, this.#kind === "nginx" ? NGINX(text) : text);
    const words = this.#kind === "nginx" ? ["-e", "stderr", "-p", this.#directory, "-c"] : ["-db", "-f"];
    const child = spawn(findProgram(this.#kind) ?? this.#kind, [...words, file], {
      cwd: this.#directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    running.add(child);
    this.#child = child;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const ended = new Promise<never>((_, failed) =>
      child.once("exit", (code) => failed(new Error(`${this.#kind} ended with ${code}: ${said}`))),
    );
    // Later ends are the test's own.
    ended.catch(() => undefined);
    const [host = "", port = ""] = this.#place.http.split(":");
    await Promise.race([ended, until(`${this.#kind} listens`, () => listens(host, Number(port)))]);
  }

  /** At once, with all its connections. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((done) => child.once("exit", done));
    // nginx has a worker of its own, which SIGKILL would leave behind.
    child.kill("SIGTERM");
    await exit;
  }

  /** Stops it, and starts it with the same configuration or another one. */
  async restart(configuration = this.#configuration): Promise<void> {
    await this.stop();
    this.#configuration = configuration;
    await this.start();
  }
}

/** Ports that are free now. The proxies cannot choose them on their own. */
async function freeAddresses(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports.map((port) => `127.0.0.1:${port}`);
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(port, host);
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

function certify(directory: string): Pick<Place, "certificate" | "key" | "both"> {
  const [certificate, key, both] = ["certificate.pem", "key.pem", "both.pem"].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", "/CN=chat.example", "-addext", "subjectAltName=IP:127.0.0.1,DNS:chat.example"];
  const files = ["-days", "2", "-keyout", key, "-out", certificate];
  execFileSync(findProgram("openssl") ?? "openssl", ["req", "-x509", ...kind, ...names, ...files], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  return { certificate, key, both };
}
