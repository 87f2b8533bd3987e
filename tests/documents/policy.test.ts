// The Content-Security-Policy that the guide prints is enough for a page, and blocks what it does not name.

import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { blocksOf, withReplaced } from "../harness/documents";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const HTML = `<!doctype html><title>Policy</title><link rel="icon" href="data:," /><script type="module" src="/bare.js"></script>`;

/** Serves the test page with this header, and returns its address. */
async function servePage(name: string, value: string): Promise<string> {
  const server = http.createServer(({ url = "/" }, response) => {
    response.setHeader(name, value);
    if (url === "/") response.setHeader("content-type", "text/html").end(HTML);
    else response.setHeader("content-type", "text/javascript").end(readFileSync(join(PAGES, url)));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it.each(["websocket", "polling"] as const)(
  "the policy of the guide lets a page use %s",
  async (transport) => {
    const block = blocksOf("docs/guide.md").find(({ language }) => language === "http");
    const [, name = "", value = ""] = /^([\w-]+): (.+)$/m.exec(block?.text ?? "") ?? [];
    const server = await Server.start();
    const own = { "wss://chat.example": `ws://127.0.0.1:${server.port}`, "https://chat.example": server.url };
    const page = await freshPage();
    await page.goto(await servePage(name, withReplaced(value, own)));
    const options = { url: server.url, guest: { user: "ada", name: "Ada" }, transports: [transport] };
    await page.evaluate((options) => window.bare.open("ada", options), options);
    await until("it is connected", () =>
      page.evaluate(() => window.bare.state("ada").status === "connected"),
    );
    expect(problemsOf(page)).toEqual([]);
    // The policy is in force.
    await page.evaluate(() => fetch("http://127.0.0.1:9/").catch(String));
    expect(problemsOf(page).some(({ kind }) => kind === "policy")).toBe(true);
  },
);
