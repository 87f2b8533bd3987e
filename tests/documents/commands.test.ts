// The commands in the documents, run by a shell as they are printed, with the server's executable on the path: servers
// start and are healthy, commands end without an error, and curl gets an answer from the API. Printed addresses and files
// are replaced by the test's own.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { blocksOf, DOCUMENTS, inlineCode, placeOf, ROOT } from "../harness/documents";
import { ProtocolClient } from "../harness/protocol-client";
import { SERVER, Server } from "../harness/server";
import { makeToken, SECRET } from "../harness/tokens";
import { until } from "../harness/until";

const KEY = "the API key of the documents";

/** A command line, and where it is. */
interface Line {
  readonly place: string;
  readonly command: string;
}

/** The lines of the blocks for a shell, without continuations and comments. */
const LINES: readonly Line[] = DOCUMENTS.flatMap(blocksOf)
  .filter(({ language, notRun }) => language === "sh" && notRun === undefined)
  .flatMap((block) =>
    block.text
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) => line.replace(/ +# .*$/, "").trim())
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((command) => ({ place: placeOf(block), command })),
  );

/** The commands in sentences. Those without arguments only name the command. */
const INLINE: readonly Line[] = DOCUMENTS.flatMap((document) =>
  inlineCode(document, "everwire-server ").map((command) => ({ place: document, command })),
).filter(({ command }) => !/^everwire-server \w+$/.test(command));

/** The first word that is not the assignment of a variable. */
const programOf = ({ command }: Line) => command.split(/ +/).find((word) => !/^[A-Z_]+=/.test(word)) ?? "";

const isServer = ({ command }: Line) =>
  command.includes("everwire-server") &&
  /everwire-server( --)?( -|$)/.test(command) &&
  !/--(help|version)/.test(command);

const CARGO_RUN = "cargo run -p everwire-server --";

/** A directory with the server's executable and the files that commands name; removed after the test. */
function place(): { directory: string; env: NodeJS.ProcessEnv } {
  const directory = mkdtempSync(join(tmpdir(), "everwire-commands-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of ["bin", "secrets", "data", "backup"]) mkdirSync(join(directory, name));
  symlinkSync(SERVER, join(directory, "bin/everwire-server"));
  writeFileSync(join(directory, "secrets/everwire"), SECRET);
  writeFileSync(join(directory, "secrets/everwire-api"), KEY);
  const env = { ...process.env, PATH: [join(directory, "bin"), process.env.PATH].join(delimiter) };
  return { directory, env };
}

/** A command with the test's addresses and files. */
function translated(command: string, directory: string, server?: Server): string {
  return command
    .replace(CARGO_RUN, "everwire-server")
    .replaceAll("/run/secrets", join(directory, "secrets"))
    .replaceAll("/var/lib/everwire/log.db", server?.database ?? join(directory, "data/log.db"))
    .replaceAll("/var/backups/everwire", join(directory, "backup"))
    .replaceAll("0.0.0.0:8787", "127.0.0.1:0")
    .replaceAll("http://127.0.0.1:8787", server?.url ?? "http://127.0.0.1:8787");
}

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Starts a command, which is ended with the test, and waits until it has printed what matches. */
async function startUntil(
  command: string,
  pattern: RegExp,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  // In a group of its own, so that the shell's children end too.
  const child = spawn("sh", ["-c", command], {
    ...options,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(async () => {
    if (!ended(child) && child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    await until("the command ends", () => ended(child));
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const found = await until(
    `${command} prints ${pattern}`,
    () => (ended(child) ? "ended" : pattern.exec(said)?.[1]),
    { seen: () => said },
  );
  expect(found, said).not.toBe("ended");
  return found;
}

it("there is a way to run every command", () => {
  const known = /^(everwire-server|curl|cargo run -p everwire-server --|npm run dev -w demo-web)( |$)/;
  const unknown = LINES.filter((line) => {
    const rest = line.command.slice(line.command.indexOf(programOf(line)));
    return !known.test(rest);
  });
  expect(unknown).toEqual([]);
  expect(LINES.length).toBeGreaterThan(30);
  expect(INLINE.length).toBeGreaterThan(2);
});

const all = [...LINES, ...INLINE];
const named = (lines: readonly Line[]) => lines.map((line) => [line.place, line.command] as const);

it.each(named(all.filter(isServer)))("%s: the server starts with %s", async (_, command) => {
  const { directory, env } = place();
  const url = await startUntil(translated(command, directory), /listening on (http:\S+)/, {
    cwd: directory,
    env: { EVERWIRE_LISTEN: "127.0.0.1:0", ...env },
  });
  expect((await fetch(new URL("/healthz", url.replace("0.0.0.0", "127.0.0.1")))).status).toBe(200);
});

const OPERATORS = all.filter((line) => programOf(line) === "everwire-server" && !isServer(line));

it.each(named(OPERATORS))("%s: %s ends without an error", async (_, command) => {
  const { directory, env } = place();
  const server = await Server.start({ secret: SECRET, env: { EVERWIRE_API_KEY: KEY } });
  const surroundings = { EVERWIRE_SERVER: server.url, EVERWIRE_JWT_SECRET: SECRET };
  // A key in the environment excludes one in a file.
  const key = command.includes("--api-key-file") ? {} : { EVERWIRE_API_KEY: KEY };
  const { stdout, stderr } = await promisify(execFile)("sh", ["-c", translated(command, directory, server)], {
    cwd: directory,
    env: { ...env, ...surroundings, ...key },
  });
  expect((stdout + stderr).trim()).not.toBe("");
});

const CURL = LINES.filter((line) => programOf(line) === "curl");
const WITH_CURL = [...new Set(CURL.map(({ place }) => place.split(":")[0] ?? ""))];

it.each(WITH_CURL)("every line of curl in %s gets an answer", async (document) => {
  const server = await Server.start({ secret: SECRET, env: { EVERWIRE_API_KEY: KEY } });
  const ann = await ProtocolClient.open(server.url);
  const token = makeToken("ann");
  ann.send({ type: "hello", version: 1, session: ann.session, token });
  const { connection } = await ann.waitForFrame("welcome");
  const lines = CURL.filter(({ place }) => place.startsWith(`${document}:`));
  expect(lines.length).toBeGreaterThan(1);
  // As curl is called by hand, except that it is quiet and that a refusal ends it with an error.
  const quiet = 'curl() { command curl --silent --show-error --fail-with-body "$@"; };';
  for (const { place, command } of lines) {
    const asked = command.replaceAll("https://chat.example", server.url);
    const { stdout } = await promisify(execFile)("sh", ["-c", `${quiet} ${asked}`], {
      env: {
        ...process.env,
        EVERWIRE: server.url,
        EVERWIRE_API_KEY: KEY,
        TOKEN: token,
        CONNECTION: String(connection),
      },
    }).catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`${place}: ${command}: ${error.stderr} ${error.stdout}`);
    });
    expect(JSON.parse(stdout), `${place}: ${command}`).toBeTypeOf("object");
  }
});

const VITE = LINES.filter((line) => programOf(line) === "npm");

it.each(named(VITE))("%s: the demo opens with %s", async (_, command) => {
  const server = await Server.start();
  const { env } = place();
  // Without a terminal Vite prints no colours; the port is the next one that is free.
  const url = await startUntil(translated(command, "", server), /Local:\s+(http:\S+)/, {
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const page = await freshPage();
  await page.goto(`${url}?as=grace`);
  await page.getByTestId("connection").and(page.locator('[data-status="connected"]')).waitFor();
  await page.getByTestId("myself").waitFor();
  if (command.includes("--mode fake")) {
    await page.getByTestId("chat").first().click();
    await page.getByRole("textbox", { name: /^Message to / }).fill("written without a server");
    await page.keyboard.press("Enter");
    const row = page.getByTestId("message").filter({ hasText: "written without a server" });
    await row.and(page.locator('[data-status="stored"]')).waitFor();
  }
  expect(problemsOf(page)).toEqual([]);
});
