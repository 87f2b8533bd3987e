// The packed package in other applications: each bundler builds it without configuration, and the result exchanges a
// message with the real server in a real browser.

import { writeFileSync } from "node:fs";
import { build as esbuild } from "esbuild";
import type { Page, WebSocket } from "playwright-core";
import { build, createServer } from "vite";
import { expect, it } from "vitest";
import webpack from "webpack";
import { freshPage, problemsOf } from "../harness/browser";
import { Server } from "../harness/server";
import { until } from "../harness/until";
import { App, CHAT_ROOM_SCRIPT, chatScript, EXPECTED_TEXT, HTML } from "./app";

const DEFAULT = chatScript('import { connect } from "everwire";');
const EAGER = chatScript('import { connect } from "everwire/eager";');
const SLIM = (wasm: string) => chatScript(`import { connect } from "everwire/slim";\n${wasm}`, ", wasm");

/** Opens the page and waits until the message is shown. */
async function works(url: string): Promise<Page> {
  const page = await freshPage();
  await page.goto(url);
  await page.getByText(EXPECTED_TEXT, { exact: true }).waitFor();
  expect(problemsOf(page)).toEqual([]);
  return page;
}

async function served(directory: string): Promise<Page> {
  const { url } = await Server.start({ serveDir: directory });
  return works(url);
}

async function withVite(app: App): Promise<void> {
  await build({ root: app.directory, logLevel: "error", build: { target: "es2022", outDir: "dist" } });
  await served(app.path("dist"));
}

async function withWebpack(app: App): Promise<void> {
  await new Promise<void>((done, failed) => {
    const compiler = webpack({
      mode: "production",
      context: app.directory,
      entry: "./main.js",
      output: { path: app.path("dist"), filename: "main.js" },
    });
    compiler.run((error, stats) => {
      if (error ?? stats?.hasErrors()) failed(error ?? new Error(stats?.toString("errors-only")));
      else compiler.close(() => done());
    });
  });
  writeFileSync(app.path("dist/index.html"), HTML("./main.js"));
  await served(app.path("dist"));
}

async function buildWithEsbuild(app: App): Promise<string> {
  await esbuild({
    absWorkingDir: app.directory,
    entryPoints: ["main.js"],
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    loader: { ".wasm": "file" },
    logLevel: "error",
  });
  writeFileSync(app.path("dist/index.html"), HTML("./main.js"));
  return app.path("dist");
}

const withEsbuild = async (app: App) => served(await buildWithEsbuild(app));

const app = (main: string) => App.make({ "main.js": main, "index.html": HTML("./main.js") });

it("Vite builds it", async () => withVite(await app(DEFAULT)));
it("webpack builds it", async () => withWebpack(await app(DEFAULT)));
it("esbuild builds it", async () => withEsbuild(await app(DEFAULT)));

it("Vite builds the entry for chats", async () => withVite(await app(CHAT_ROOM_SCRIPT)));
it("webpack builds the entry for chats", async () => withWebpack(await app(CHAT_ROOM_SCRIPT)));
it("esbuild builds the entry for chats", async () => withEsbuild(await app(CHAT_ROOM_SCRIPT)));

it("Vite builds the eager entry", async () => withVite(await app(EAGER)));
it("webpack builds the eager entry", async () => withWebpack(await app(EAGER)));
it("esbuild builds the eager entry", async () => withEsbuild(await app(EAGER)));

it("Vite builds the slim entry, with the wasm file as an asset", async () =>
  withVite(await app(SLIM('import wasm from "everwire/everwire.wasm?url";'))));
it("webpack builds the slim entry, with the wasm file as an asset", async () =>
  withWebpack(await app(SLIM('const wasm = new URL("everwire/everwire.wasm", import.meta.url);'))));
it("esbuild builds the slim entry, with the wasm file as an asset", async () =>
  withEsbuild(
    await app(SLIM('import file from "everwire/everwire.wasm";\nconst wasm = new URL(file, location.href);')),
  ));

it("the WebSocket is opened while the core is loading, and used by it", async () => {
  const { url } = await Server.start({ serveDir: await buildWithEsbuild(await app(DEFAULT)) });
  const page = await freshPage();
  const sockets: WebSocket[] = [];
  let opened = 0;
  let used = 0;
  page.on("websocket", (socket) => {
    sockets.push(socket);
    opened ||= Date.now();
    socket.on("framesent", () => {
      used ||= Date.now();
    });
  });
  // Without an early one this waits until the test times out.
  await page.route(/\/inline-[^/]*\.js$/, async (route) => {
    await until("there is a WebSocket", () => sockets.length > 0);
    await route.continue();
  });
  await page.goto(url);
  await page.getByText(EXPECTED_TEXT, { exact: true }).waitFor();
  // On a machine so busy that the core took longer, there is rightly another.
  if (used - opened < 2_500) expect(sockets).toHaveLength(1);
  expect(problemsOf(page)).toEqual([]);
});

it("Vite's development server serves it", async () => {
  const { directory } = await app(DEFAULT);
  const { url } = await Server.start();
  const vite = await createServer({
    root: directory,
    logLevel: "error",
    cacheDir: "node_modules/.vite",
    server: { port: 0, host: "127.0.0.1" },
  });
  try {
    await vite.listen();
    const address = vite.httpServer?.address();
    if (typeof address !== "object" || !address) throw new Error("Vite is not listening");
    await works(`http://127.0.0.1:${address.port}/?server=${encodeURIComponent(url)}`);
  } finally {
    await vite.close();
  }
});

it("without a bundler: the files of the package as they are", async () => {
  const plain = await App.make({
    "index.html": HTML("./main.js"),
    "main.js": DEFAULT.replace('"everwire"', '"./node_modules/everwire/dist/index.js"'),
  });
  await served(plain.directory);
});
