// The TypeScript in the documents: every block type-checks against the package, and runs in a page with the real server
// until it has done what it shows. Where a block says https://chat.example, the page's own server is meant; the first
// example of each README runs as it is printed.

import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { API_PATH } from "../../protocol/generated/protocol";
import { App, HTML } from "../consumers/app";
import { ARGUMENTS, findBrowser, freshPage } from "../harness/browser";
import { type Block, blocksOf, DOCUMENTS, placeOf, ROOT } from "../harness/documents";
import { Server } from "../harness/server";
import { makeToken, SECRET } from "../harness/tokens";
import { until } from "../harness/until";
import { SCENARIOS } from "./scenarios";

const PRINTED = "http://127.0.0.1:8787";
const READMES = ["README.md", "pkg-js/README.md"];

const BLOCKS = DOCUMENTS.flatMap(blocksOf).filter(({ language }) => language === "ts" || language === "tsx");
const nameOf = ({ document, line, language }: Block) =>
  `${document.replaceAll("/", "-").replace(".md", "")}-${line}.${language}`;

it("code in the documents type-checks against the package", async () => {
  const directory = join(ROOT, "tests/output/documents");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const block of BLOCKS) {
    // Each block is a module of its own, even where it continues an earlier one.
    writeFileSync(join(directory, nameOf(block)), `${block.text}export {};\n`);
  }
  copyFileSync(join(import.meta.dirname, "around.d.ts"), join(directory, "around.d.ts"));
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: { noUnusedLocals: false, types: ["node", "vite/client"] },
    include: ["*.ts", "*.tsx"],
    exclude: [],
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const said = await promisify(execFile)(process.execPath, [tsc, "-p", directory]).catch(
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ stdout, stderr }),
  );
  expect(said.stdout + said.stderr).toBe("");
});

/** The built page, with all blocks in it. */
let dist = "";
let app: App | undefined;

beforeAll(async () => {
  const files: Record<string, string> = { "index.html": HTML("./main.ts") };
  const packages = ["react", "react-dom", "scheduler", "vue"];
  app = await App.keep(files, packages);
  mkdirSync(app.path("blocks"));
  copyFileSync(join(import.meta.dirname, "page/main.ts"), app.path("main.ts"));
  for (const block of BLOCKS) {
    const text = block.text.replaceAll('"https://chat.example"', "location.origin");
    writeFileSync(app.path("blocks", nameOf(block)), `${text}export {};\n`);
  }
  const output = { target: "es2022", outDir: "dist", minify: false } as const;
  await build({
    root: app.directory,
    logLevel: "error",
    build: output,
    oxc: { jsx: { runtime: "automatic" } },
  });
  dist = app.path("dist");
});

afterAll(() => app?.remove());

const DEV = BLOCKS.filter(({ text }) => text.includes(PRINTED));

it("the first example of each README is for a development server", () => {
  const first = READMES.map((readme) => BLOCKS.find(({ document }) => document === readme));
  expect(DEV).toEqual(first);
});

it.each(DEV.map((block) => [placeOf(block), block] as const))(
  "%s runs as printed against everwire-server --dev",
  async (_, block) => {
    const server = await Server.start({ serveDir: dist });
    const rules = `MAP 127.0.0.1:8787 127.0.0.1:${server.port}`;
    const args = [...ARGUMENTS, `--host-resolver-rules=${rules}`];
    const own = await chromium.launch({ executablePath: findBrowser(), args });
    onTestFinished(() => own.close());
    const page = await own.newPage();
    await page.goto(server.url);
    await page.evaluate(([name]) => window.blockPage.run(name, ""), [nameOf(block)] as const);
    const logged = () => page.evaluate(() => window.blockPage.logged());
    await until(
      "it has logged all",
      async () => (await logged()).some((line) => line.includes("Ada: hello")),
      {
        seen: logged,
      },
    );
    expect(await logged()).toEqual(expect.arrayContaining(["stored at offset 1", "Ada: hello"]));
    expect((await logged()).some((line) => line.startsWith("connected "))).toBe(true);
  },
);

const OTHERS = BLOCKS.filter((block) => !DEV.includes(block));

it("every block has one scenario, and every scenario a block", () => {
  const matching = OTHERS.map((block) => [
    placeOf(block),
    SCENARIOS.filter(({ document, contains }) => block.document === document && block.text.includes(contains))
      .length,
  ]);
  expect(matching.filter(([, count]) => count !== 1)).toEqual([]);
  expect(SCENARIOS).toHaveLength(OTHERS.length);
});

/** The chat of ann and bob. */
const CHAT = "01930000-0000-7000-8000-000000000007";

const KEY = "the API key of the documents";

it.each(SCENARIOS.map((scenario) => [`${scenario.document}: ${scenario.contains}`, scenario] as const))(
  "runs %s",
  async (_, { document, contains, steps }) => {
    const block = OTHERS.find((block) => block.document === document && block.text.includes(contains));
    if (!block) throw new Error("there is no such block");
    const server = await Server.start({ serveDir: dist, secret: SECRET, env: { EVERWIRE_API_KEY: KEY } });
    const call = async (method: string, path: string, body?: unknown) => {
      const answer = await fetch(`${server.url}${API_PATH}${path}`, {
        method,
        headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      expect(answer.status, await answer.clone().text()).toBe(200);
      return answer.json() as Promise<Record<string, unknown>>;
    };
    await call("POST", "/chats", {
      id: CHAT,
      kind: "group",
      title: "Support",
      users: [{ user: "ann", role: "owner" }, { user: "bob" }],
    });
    const page = await freshPage();
    const failures: string[] = [];
    page.on("pageerror", (error) => failures.push(String(error)));
    await page.goto(server.url);
    const token = makeToken("ann", { grants: ["private-*", "presence-*"] });
    await page.evaluate(([name, token]) => window.blockPage.run(name, token), [
      nameOf(block),
      token,
    ] as const);
    await steps({
      page,
      publish: (message) => call("POST", "/publish", message),
      calls: (name) =>
        page.evaluate(
          (name) =>
            window.blockPage
              .calls()
              .filter(([called]) => called === name)
              .map(([, ...args]) => args),
          name,
        ),
      logged: () => page.evaluate(() => window.blockPage.logged()),
    });
    expect(failures).toEqual([]);
  },
);
