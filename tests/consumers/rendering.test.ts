// The packed package without a browser, and under React: importing has no side effects (promise 17), server rendering
// works, and StrictMode makes one connection and one subscription.

import { join, resolve } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { ProtocolClient, uuid7 } from "../harness/protocol-client";
import { FaultProxy } from "../harness/proxy";
import { Server } from "../harness/server";
import { until } from "../harness/until";
import { App, HTML } from "./app";

const REACT = ["react", "react-dom", "scheduler"];

/** Side effects of an import are made to fail, or recorded. */
const WATCHED = `
const refuse = (what) => () => { throw new Error("importing " + what); };
globalThis.fetch = refuse("asked for something");
globalThis.WebSocket = class { constructor() { refuse("opened a socket")(); } };
for (const name of ["compile", "instantiate", "compileStreaming", "instantiateStreaming"]) {
  WebAssembly[name] = refuse("touched WebAssembly");
}
const before = Object.getOwnPropertyNames(globalThis).join();
`;

it("importing any entry in Node has no side effects, and Node exits", async () => {
  const app = await App.make(
    {
      "import.js": `${WATCHED}
const names = ["everwire", "everwire/eager", "everwire/slim", "everwire/react"];
const entries = await Promise.all(names.map((name) => import(name)));
if (Object.getOwnPropertyNames(globalThis).join() !== before) throw new Error("importing created globals");
console.log(entries.map((entry) => typeof (entry.connect ?? entry.useClient)).join());
`,
    },
    REACT,
  );
  expect(await app.node("import.js")).toBe("function,function,function,function\n");
});

const COMPONENT = `
import { createElement as h } from "react";
import { EverwireProvider, useConnectionState, useMembers, useMessages } from "everwire/react";
function Room() {
  const state = useConnectionState();
  const rows = useMessages("presence-room.1", { recent: 10 });
  const members = useMembers("presence-room.1");
  return h("div", {}, h("p", { id: "state" }, state.status), h("p", { id: "members" }, members.map((m) => m.user).join()),
    h("ol", {}, rows.map((row) => h("li", { key: row.id }, row.data.text))));
}
export function Page({ options }) {
  return h(EverwireProvider, { options }, h(Room));
}
`;

it("React renders on a server without connecting", async () => {
  const app = await App.make(
    {
      "page.js": COMPONENT,
      "render.js": `${WATCHED}
const { renderToString } = await import("react-dom/server");
const { createElement } = await import("react");
const { Page } = await import("./page.js");
console.log(renderToString(createElement(Page, { options: { url: "https://chat.example" } })));
`,
    },
    REACT,
  );
  expect(await app.node("render.js")).toContain("connecting");
});

it("React's StrictMode: one connection, one subscription, each message once", async () => {
  const app = await App.make(
    {
      "index.html": HTML("./main.js"),
      "page.js": COMPONENT,
      "main.jsx": `
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Page } from "./page.js";
const options = { url: location.origin, guest: { user: "strict", name: "Strict" } };
createRoot(document.querySelector("#root")).render(<StrictMode><Page options={options} /></StrictMode>);
`,
    },
    REACT,
  );
  await build({
    absWorkingDir: app.directory,
    entryPoints: ["main.jsx"],
    outdir: ".",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    // Only then does React run everything twice.
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "error",
  });
  const server = await Server.start({ serveDir: app.directory });
  const proxy = await FaultProxy.start(server.port);
  const page = await freshPage();
  const subscriptions: string[] = [];
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      const frames = JSON.parse(String(payload)) as { type: string }[];
      subscriptions.push(...frames.map(({ type }) => type).filter((type) => type === "subscribe"));
    }),
  );
  await page.goto(proxy.url);
  await until("it is connected and sees itself", async () => {
    const [state, members] = await Promise.all(
      ["#state", "#members"].map((id) => page.locator(id).textContent()),
    );
    return state === "connected" && members === "strict";
  });
  const other = await ProtocolClient.join(server.url, "other");
  for (const text of ["one", "two"]) {
    other.send({ type: "send", id: uuid7(), channel: "presence-room.1", data: { text } });
  }
  await page.getByText("two").waitFor();
  expect(await page.locator("li").allTextContents()).toEqual(["one", "two"]);
  expect(proxy.asked.websocket).toBe(1);
  expect(subscriptions).toEqual(["subscribe"]);
  expect(problemsOf(page)).toEqual([]);
});

it.each(["bundler", "nodenext"])(
  "TypeScript resolves all types with moduleResolution %s",
  async (resolution) => {
    const app = await App.make({
      "main.ts": `
import { connect, EverwireError, type Client, type ConnectionState } from "everwire";
import { connect as slim } from "everwire/slim";
interface Events { message: { text: string }; "order.shipped": { id: number } }
const client: Client = connect({ url: "https://chat.example", token: async () => "token" });
client.on("state", (state: ConnectionState) => state.status === "waiting" && state.retryAt.toFixed());
const channel = client.channel<Events>("private-orders");
channel.on("message", ({ data }) => data.text.trim());
channel.on("event:order.shipped", ({ data }) => data.id.toFixed());
const { offset }: { offset: number } = await channel.send({ text: "hello" });
// @ts-expect-error: not what this channel carries
void channel.send({ txt: offset });
void slim({ url: "/", wasm: new URL("https://chat.example/everwire.wasm") }).close();
if (new EverwireError("closed", "over").code === "closed") await client.close();
`,
      "tsconfig.json": JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          skipDefaultLibCheck: true,
          target: "es2022",
          module: resolution === "nodenext" ? "nodenext" : "esnext",
          moduleResolution: resolution,
          lib: ["es2022", "dom", "dom.iterable"],
          types: [],
        },
        files: ["main.ts"],
      }),
    });
    const tsc = join(resolve(import.meta.dirname, "../.."), "node_modules/typescript/bin/tsc");
    await expect(app.node(tsc, "-p", ".")).resolves.toBe("");
  },
);
