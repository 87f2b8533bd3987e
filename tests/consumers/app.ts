// A scratch application outside the workspace, with the package installed from the tarball that npm would publish. It
// resolves nothing from the repository except packages that are linked explicitly.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, onTestFinished } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

let installed: Promise<string> | undefined;
afterAll(async () => {
  if (installed) rmSync(await installed, { recursive: true, force: true });
});

/**
 * Packs the package and installs the tarball once per test file, in a directory that is copied for each application.
 */
async function install(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "everwire-pack-"));
  const flags = ["pack", "--silent", "--ignore-scripts", "--pack-destination", directory];
  const { stdout } = await run("npm", flags, { cwd: join(root, "pkg-js") });
  writeFileSync(join(directory, "package.json"), '{ "name": "app", "private": true, "type": "module" }\n');
  const tarball = join(directory, stdout.trim().split("\n").at(-1) ?? "");
  const options = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...options, tarball], { cwd: directory });
  rmSync(tarball);
  return directory;
}

/** The HTML page of these applications. */
export const HTML = (script: string) => `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><link rel="icon" href="data:," /><title>consumer</title></head>
  <body><div id="root"></div><p id="out"></p><script type="module" src="${script}"></script></body>
</html>
`;

/**
 * Connects to `?server=`, or to the page's own origin; sends a message and shows it when it comes back. The imports and
 * the creation of the client differ.
 */
export const chatScript = (imports: string, options = "") => `${imports}
const url = new URLSearchParams(location.search).get("server") ?? location.origin;
const client = connect({ url, guest: { user: "consumer", name: "Consumer" }${options} });
const channel = client.channel("news");
channel.on("message", ({ data, offset }) => {
  document.querySelector("#out").textContent = offset + " " + data.text;
});
await channel.subscribe();
await channel.send({ text: "hello from outside" });
`;

/** The same in a chat, by the entry for chats. */
export const CHAT_ROOM_SCRIPT = `import { connect } from "everwire";
import { createChat } from "everwire/chat";
const chat = createChat(connect({ url: location.origin, guest: { user: "consumer", name: "Consumer" } }));
const { id } = await chat.chats.create({ title: "Outside", users: ["other"] });
const room = chat.room(id);
room.on("change", () => {
  const stored = room.messages.rows.filter(({ event, status }) => event === undefined && status === "stored");
  document.querySelector("#out").textContent = stored.length + " " + stored.at(-1)?.data?.text;
});
await room.open();
await room.send("hello from outside");
`;

/** What the page shows when it works. */
export const EXPECTED_TEXT = "1 hello from outside";

export class App {
  private constructor(readonly directory: string) {}

  /**
   * Creates an application with the package installed, and writes the files. `links`: packages of the repository to
   * link. It is removed after the test.
   */
  static async make(files: Readonly<Record<string, string>>, links: readonly string[] = []): Promise<App> {
    const app = await App.keep(files, links);
    onTestFinished(() => app.remove());
    return app;
  }

  /** The same for a whole file of tests, which has to remove it. */
  static async keep(files: Readonly<Record<string, string>>, links: readonly string[] = []): Promise<App> {
    installed ??= install();
    const template = await installed;
    // The real path: bundlers compare paths.
    const directory = realpathSync(mkdtempSync(join(tmpdir(), "everwire-app-")));
    cpSync(template, directory, { recursive: true });
    for (const name of links) {
      mkdirSync(dirname(join(directory, "node_modules", name)), { recursive: true });
      symlinkSync(join(root, "node_modules", name), join(directory, "node_modules", name), "junction");
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return new App(directory);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  /** Runs Node in it, and returns its output. The process has to exit on its own. */
  async node(...args: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, args, { cwd: this.directory, timeout: 30_000 });
    return stdout;
  }
}
