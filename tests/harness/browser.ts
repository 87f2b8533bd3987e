// Chromium: one per test file, and for each person in a test a context of their own, which is a fresh profile. Whatever a page
// complains of is collected, so that a test can say that there was nothing.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, onTestFinished } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const FILES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The browser's program: `CHROME`, or one that is installed. */
export function findBrowser(): string {
  const named = process.env.CHROME;
  if (named) return named;
  const onPath = (process.env.PATH ?? "").split(delimiter);
  const files = [...NAMES.flatMap((name) => onPath.map((directory) => join(directory, name))), ...FILES];
  const found = files.find((file) => existsSync(file));
  if (!found) throw new Error("Chromium was not found. Install it, or set CHROME to its path.");
  return found;
}

/** Nothing of the browser's own may go over the network, and nothing but TCP may carry what the tests measure. */
export const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // Its sandbox refuses to run as root, which is who runs in most containers.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

let browser: Promise<Browser> | undefined;
afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

export function theBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: findBrowser(),
    args: ARGUMENTS,
    // The cache for back and forward is part of what is tested.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  return browser;
}

/** What a page complained of. */
export interface Problem {
  readonly kind: "console" | "exception" | "policy";
  readonly text: string;
}

const problems = new WeakMap<Page, Problem[]>();

// What the browser itself writes when there is no network: expected wherever a test breaks the connection.
const NETWORK = /^Failed to load resource|^WebSocket connection to|net::ERR_/;

/** What the page has complained of so far. `broken`: the test breaks connections, so that the browser's own words do not count. */
export function problemsOf(page: Page, { broken = false } = {}): Problem[] {
  return (problems.get(page) ?? []).filter(({ text }) => !(broken && NETWORK.test(text)));
}

/** A fresh profile. Gone when the test is over. */
export async function freshContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await (await theBrowser()).newContext({
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  onTestFinished(() => context.close());
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`content security policy: ${violatedDirective} forbids ${blockedURI}`),
    );
  });
  context.setDefaultTimeout(45_000);
  context.on("page", watch);
  return context;
}

/** A page of a profile of its own. */
export async function freshPage(options: BrowserContextOptions = {}): Promise<Page> {
  return (await freshContext(options)).newPage();
}

function watch(page: Page): void {
  const list: Problem[] = [];
  problems.set(page, list);
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error") {
      const kind = /content security policy/i.test(text) ? "policy" : "console";
      list.push({ kind, text });
    }
  });
  page.on("pageerror", (error) => list.push({ kind: "exception", text: String(error.stack ?? error) }));
}
